package initpanic

var prices map[string]int

func init() {
	prices["tea"] = 3
}
