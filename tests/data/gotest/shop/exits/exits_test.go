package exits

import (
	"fmt"
	"os"
	"testing"
)

func TestBefore(t *testing.T) {}

func TestExits(t *testing.T) {
	t.Log("loading the configuration")
	fmt.Println("config.yml: no such file")
	os.Exit(3)
}

func TestAfter(t *testing.T) {}
