package record

import (
	"fmt"
	"testing"
	"unsafe"
)

// TestTexts: what comes out is what went in, and equal texts share their bytes
// as long as nothing else has taken their place.
func TestTexts(t *testing.T) {
	var texts Texts
	for i := range 20_000 {
		want := fmt.Sprint(i % 3000)
		one := texts.Once([]byte(want))
		two := texts.Once([]byte(want))
		if one != want || two != want {
			t.Fatalf("%q and %q, want %q", one, two, want)
		}
		if unsafe.StringData(one) != unsafe.StringData(two) {
			t.Fatalf("%q stands twice in memory", want)
		}
	}
	if texts.Once(nil) != "" {
		t.Error("an empty text is not empty")
	}
}
