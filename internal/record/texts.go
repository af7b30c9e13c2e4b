package record

// Texts are those met last, so that equal ones share their bytes: a flood has
// many names and process numbers, and of those nearby most are alike.
type Texts [1024]string

// Once returns b as a string.
func (t *Texts) Once(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	at := &t[mixed(b[0], b[len(b)-1], b[len(b)/2], len(b))%uint(len(t))]
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}

// mixed tells texts apart by their ends, their middle and their length. Others
// that have the same in common take each other's place.
func mixed(first, last, middle byte, n int) uint {
	return uint(first)*31 + uint(last)*37 + uint(middle)*7 + uint(n)*131
}
