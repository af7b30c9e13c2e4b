package blockers

// Holds returns the names under which the back end holds addresses (chain,
// table, tag), for the record that Former reads; nil where it holds none.
func (b Blocker) Holds() map[string]string { return b.names }
