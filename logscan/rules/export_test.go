package rules

// Free returns the parts of a sample's line in which a client's text may
// stand, in bytes of the line, as far as the rule's pattern tells.
func Free(d Def, s *Set, raw, text []byte) []Span { return free(d, s, raw, text) }
