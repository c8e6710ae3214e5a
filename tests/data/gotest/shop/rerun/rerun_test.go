package rerun

import "testing"

var runs int

func TestFlaky(t *testing.T) {
	runs++
	if runs == 1 {
		t.Error("the first run fails")
	}
}

func TestSteady(t *testing.T) {}

func TestSlipping(t *testing.T) {
	if runs == 2 {
		t.Error("the second run fails")
	}
}
