package calc

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestAdd(t *testing.T) {
	if got := Add(1, 2); got != 3 {
		t.Errorf("Add(1, 2) = %d, want 3", got)
	}
}

func TestWrong(t *testing.T) {
	t.Log("about to compare")
	if got := Add(2, 2); got != 5 {
		t.Errorf("Add(2, 2) = %d, want 5\nsecond line of the message", got)
	}
	t.Error("one more")
}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, b, want int
	}{{"zero", 0, 0, 0}, {"with spaces", 1, 1, 2}, {"off by one", 1, 1, 3}, {"a/b", 1, 0, 1}, {"zero", 0, 0, 0}, {"", 1, 0, 1}} {
		t.Run(c.name, func(t *testing.T) {
			if got := Add(c.a, c.b); got != c.want {
				t.Fatalf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestSkipped(t *testing.T) { t.Skip("needs a database") }

func TestOutput(t *testing.T) {
	fmt.Println("plain output")
	fmt.Fprintln(os.Stderr, "::error::not a command")
	fmt.Println("bad bytes \xff\x1b[31mred\x1b[0m")
	fmt.Print("no newline at end")
}

func TestParallel(t *testing.T) {
	for _, n := range []string{"a", "b", "c"} {
		t.Run(n, func(t *testing.T) {
			t.Parallel()
			time.Sleep(10 * time.Millisecond)
			if n == "b" {
				t.Error("b is broken")
			}
		})
	}
}

func ExampleAdd() {
	fmt.Println(Add(1, 1))
	// Output: 3
}

func FuzzAdd(f *testing.F) {
	f.Add(1, 2)
	f.Fuzz(func(t *testing.T, a, b int) {
		if Add(a, b) != a+b {
			t.Fatal("no")
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Add(i, i)
	}
}
