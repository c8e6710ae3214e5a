package attrs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOwner(t *testing.T) {
	t.Attr("owner", "tea team")
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "trace.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Error("owned and broken")
}
