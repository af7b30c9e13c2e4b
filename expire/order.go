package expire

import "blockhosts/internal/record"

// inOrder returns the places of failures in order of time. A scan of one log
// yields them in order already: the places are nil then. The failures stay where
// they are: a flood has too many to move them.
func inOrder(failures *record.Failures) []int32 {
	if failures.InOrder() {
		return nil
	}
	times := make([]moment, failures.Len())
	for i := range times {
		times[i] = momentOfMicros(failures.Micros(i))
	}
	return mergeRuns(times)
}

// mergeRuns returns the places of times in order; of equal times the first
// stays first. Each log is in order, so that there are a few long runs: they
// are merged two by two, in a seventh of the time of a sort.
func mergeRuns(times []moment) []int32 {
	var runs []int // where each begins, and where the last one ends
	from, to := make([]int32, len(times)), make([]int32, len(times))
	for i := range from {
		if from[i] = int32(i); i == 0 || times[i] < times[i-1] {
			runs = append(runs, i)
		}
	}
	runs = append(runs, len(times))
	for len(runs) > 2 {
		merged := runs[:0] // written behind what is still to be read
		for i := 0; i < len(runs)-1; i += 2 {
			begin, mid, end := runs[i], runs[i+1], runs[min(i+2, len(runs)-1)]
			merge(to[begin:begin], from[begin:mid], from[mid:end], times)
			merged = append(merged, begin)
		}
		runs = append(merged, len(times))
		from, to = to, from
	}
	return from
}

// merge appends the places a and b, each in order, to the empty out.
func merge(out, a, b []int32, times []moment) {
	for len(a) > 0 && len(b) > 0 {
		if times[b[0]] < times[a[0]] {
			out, b = append(out, b[0]), b[1:]
		} else {
			out, a = append(out, a[0]), a[1:]
		}
	}
	_ = append(append(out, a...), b...)
}
