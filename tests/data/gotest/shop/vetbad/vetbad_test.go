package vetbad

import "testing"

func TestVet(t *testing.T) { t.Errorf("%d", "text") }
