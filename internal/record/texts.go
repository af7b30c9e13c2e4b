package record

// Texts are those met last, so that equal ones share their bytes: a flood has
// many names and process numbers, and of those nearby most are alike.
type Texts [1024]string

// Once returns b as a string.
func (t *Texts) Once(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	// A text of the same length, ends and middle takes its place.
	at := &t[(uint(b[0])*31+uint(b[len(b)-1])*37+uint(b[len(b)/2])*7+uint(len(b))*131)%uint(len(t))]
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}
