// The command api tells over HTTP what is in stock.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"
)

var version = "v0.0.0+unknown"

// stock is what a shop has of each item.
type stock map[string]int

// handler answers GET /stock with everything, and GET /stock/ITEM with how many of an item are there.
func (s stock) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stock", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, s)
	})
	mux.HandleFunc("GET /stock/{item}", func(w http.ResponseWriter, r *http.Request) {
		item := r.PathValue("item")
		count, known := s[item]
		if !known {
			answer(w, http.StatusNotFound, map[string]string{"error": "unknown item " + item})
			return
		}
		answer(w, http.StatusOK, map[string]any{"item": item, "count": count})
	})
	return mux
}

func answer(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(content); err != nil {
		log.Printf("answer: %v", err)
	}
}

func main() {
	address := flag.String("address", ":8080", "where to listen")
	tell := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *tell {
		fmt.Println("api", version)
		return
	}
	server := &http.Server{
		Addr:              *address,
		Handler:           stock{"apples": 12, "pears": 0, "plums": 3}.handler(),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}
