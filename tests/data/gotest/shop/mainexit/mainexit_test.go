package mainexit

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Println("leaked a connection")
	if code == 0 {
		code = 3
	}
	os.Exit(code)
}

func TestFine(t *testing.T) {}
