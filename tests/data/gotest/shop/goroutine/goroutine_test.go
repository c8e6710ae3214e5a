package goroutine

import (
	"testing"
	"time"
)

func TestFirst(t *testing.T) {}

func TestSpawns(t *testing.T) {
	go func() { panic("from a goroutine") }()
	time.Sleep(time.Second)
}
