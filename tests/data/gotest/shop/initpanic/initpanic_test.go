package initpanic

import "testing"

func TestNothing(t *testing.T) {}
