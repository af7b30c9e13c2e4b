package blockers

// Holds returns the names under which the back end holds addresses (chain,
// table, tag), for the record that Former reads; nil where it holds none.
func (b Blocker) Holds() map[string]string { return b.names }

// Owes returns what is to be on record before a Sync with want: the names, and
// of a back end that nothing lists all that this Sync has yet to do. Whoever
// dies in between leaves it to the next one, which runs those commands again.
func (b Blocker) Owes(want []Target) map[string]string {
	for _, t := range b.tables {
		if c, ok := t.(*command); ok {
			entries, _ := entriesOf(want, b.parts)
			return c.names(entries)
		}
	}
	return b.names
}
