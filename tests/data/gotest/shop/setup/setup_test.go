package setup

import (
	"testing"

	_ "example.com/shop/nowhere"
)

func TestSetup(t *testing.T) {}
