package blockfile

// arenaChunk is how many elements an arena allocates at a time.
const arenaChunk = 4096

// An arena hands out many short slices from few allocations: a section has
// two for each of its addresses. Slices of one chunk share it; each has its own
// capacity, so that appending to one does not run into the next.
type arena[T any] struct {
	chunk []T
	start int
}

// begin opens a slice of at most n elements.
func (a *arena[T]) begin(n int) {
	if cap(a.chunk)-len(a.chunk) < n {
		a.chunk = make([]T, 0, max(n, arenaChunk))
	}
	a.start = len(a.chunk)
}

func (a *arena[T]) add(x T) { a.chunk = append(a.chunk, x) }

// end closes the slice; an empty one is nil.
func (a *arena[T]) end() []T {
	if a.start == len(a.chunk) {
		return nil
	}
	return a.chunk[a.start:len(a.chunk):len(a.chunk)]
}

func (a *arena[T]) one(x T) []T {
	a.begin(1)
	a.add(x)
	return a.end()
}
