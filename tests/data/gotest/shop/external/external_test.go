package external_test

import (
	"testing"

	"example.com/shop/chatty"
)

func TestHalf(t *testing.T) {
	if got := chatty.Half(7); got != 3 {
		t.Fatal(got)
	}
}
