module example.com/buildme

go 1.24.0

require (
	github.com/go-chi/chi/v5 v5.2.2
	github.com/google/uuid v1.6.0
	golang.org/x/text v0.34.0
)
