package main

import (
	"fmt"
	"os"
)

func unusedHelper() {}

func main() {
	os.Remove("a")
	x := len(os.Args)
	x = 2 * x; _ = x
	fmt.Printf("%d\n", "text")
	if len(os.Args) == 0 || false == true {
		fmt.Println(fmt.Sprintf("x"))
	}
}
