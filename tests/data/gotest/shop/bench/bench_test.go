package bench

import "testing"

func BenchmarkFine(b *testing.B) {
	for range b.N {
	}
}

func BenchmarkBroken(b *testing.B) {
	b.Run("small", func(b *testing.B) { b.Fatal("no room") })
}
