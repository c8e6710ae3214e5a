package chatty

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestParallelTalk(t *testing.T) {
	for _, name := range []string{"a", "b", "c"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range 2 {
				fmt.Printf("%s says %d\n", name, i)
				t.Logf("%s logs %d", name, i)
				time.Sleep(3 * time.Millisecond)
			}
			if name == "b" {
				check(t, 1)
			}
		})
	}
}

func check(t *testing.T, n int) {
	t.Helper()
	if n != 2 {
		t.Errorf("n = %d", n)
	}
}

func TestSilent(t *testing.T) { t.Fail() }

func TestStderrOnly(t *testing.T) {
	fmt.Fprintln(os.Stderr, "cannot reach the database")
	t.FailNow()
}

func TestOdd(t *testing.T) {
	fmt.Println(strings.Repeat("z", 100), "nul \x00 esc \x1b[31mred\x1b[0m bad \xff\xfe")
	fmt.Print("no newline")
}

func TestCleanup(t *testing.T) {
	t.Cleanup(func() { t.Error("the folder is still there") })
	t.Run("sub/with slash", func(t *testing.T) { t.Skipf("on %s", "Tuesdays") })
}

func ExampleHalf() {
	fmt.Println(Half(4))
	fmt.Println("tea")
	// Output:
	// 2
	// coffee
}

func ExamplePanics() {
	fmt.Println(Half(3))
	// Output: 1
}
