package chatty

// Half panics for odd numbers.
func Half(n int) int {
	if n%2 != 0 {
		panic("odd")
	}
	return n / 2
}
