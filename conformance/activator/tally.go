package activator

// counts are what the worlds exercise.
type counts map[string]int
