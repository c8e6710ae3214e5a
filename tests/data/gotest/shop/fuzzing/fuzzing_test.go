package fuzzing

import (
	"strings"
	"testing"
)

func FuzzUpper(f *testing.F) {
	f.Add("tea")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ToUpper(s) == s {
			t.Fatalf("%q has no lower case", s)
		}
	})
}
