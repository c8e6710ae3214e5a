package flakyfile

import (
	"os"
	"testing"
)

func TestFlaky(t *testing.T) {
	marker := os.Getenv("MARKER")
	if _, err := os.Stat(marker); err != nil {
		os.WriteFile(marker, nil, 0o600)
		t.Error("the first run fails")
	}
}

func TestAlways(t *testing.T) { t.Fatal("never passes") }

func TestSteady(t *testing.T) {}
