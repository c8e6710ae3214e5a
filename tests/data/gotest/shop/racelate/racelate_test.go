package racelate

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	n, done := 0, make(chan bool)
	go func() {
		n = 1
		done <- true
	}()
	n = 2
	<-done
	_ = n
	os.Exit(code)
}

func TestFine(t *testing.T) {}
