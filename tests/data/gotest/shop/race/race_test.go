package race

import (
	"sync"
	"testing"
)

type counter struct{ n int }

func (c *counter) add() { c.n++ }

func TestRace(t *testing.T) {
	var c counter
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		c.add()
	}()
	c.n = 5
	done.Wait()
}

func TestNoRace(t *testing.T) {}
