package blockfile

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"blockhosts/internal/record"
)

// maxTrouble is the length in bytes at which the text of a trouble is cut.
const maxTrouble = 1000

// Section returns the section that holds st, both marker lines included: byte
// for byte what Save writes. A block without a valid Net is left out.
func (f *File) Section(st record.State) []byte {
	b := make([]byte, 0, 256+160*len(st.Hosts)+180*len(st.Blocks)+80*(len(st.Past)+len(st.Tallies)))
	for piece := range f.pieces(st) {
		b = append(b, piece...)
	}
	return b
}

// pieceOf is how many entries are made into text at a time, about 40 kB.
const pieceOf = 256

// pieces yields the section piece by piece. Each is valid until the next.
func (f *File) pieces(st record.State) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		p := &printer{yield: yield}
		p.b = append(p.b, Marker+"\n"...)
		printAll(p, st.Blocks, f.appendDenials)
		p.b = append(p.b, '\n')
		printAll(p, st.Hosts, appendHosts)
		printAll(p, st.Blocks, appendBlocks)
		printAll(p, st.Past, appendPast)
		printAll(p, st.Tallies, appendTallies)
		printAll(p, st.Names, appendNames)
		printAll(p, st.Used, appendUsed)
		printAll(p, st.Unmailed, appendEvents)
		printAll(p, st.Troubles, appendTroubles)
		if !st.Saved.IsZero() {
			p.b = append(appendTenths(append(p.b, tag+" saved: "...), st.Saved), '\n')
		}
		printAll(p, st.Offsets, appendOffsets)
		if p.b = append(p.b, Marker+"\n"...); !p.ended {
			yield(p.b)
		}
	}
}

// A printer hands on the text that it has as soon as it is long enough.
type printer struct {
	b     []byte
	yield func([]byte) bool
	ended bool // nobody wants more
}

// printAll writes all with add.
func printAll[T any](p *printer, all []T, add func([]byte, []T) []byte) {
	for part := range slices.Chunk(all, pieceOf) {
		if p.ended {
			return
		}
		if p.b = add(p.b, part); len(part) == pieceOf {
			p.ended = !p.yield(p.b)
			p.b = p.b[:0]
		}
	}
}

func (f *File) appendDenials(b []byte, blocks []record.Block) []byte {
	for i := range blocks {
		if blocks[i].Net.IsValid() {
			b = f.template.append(b, blocks[i].Net)
		}
	}
	return b
}

func appendServices(b []byte, services []string) []byte {
	for i, s := range services {
		if i == 0 {
			b = appendKey(b, "by")
		} else {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return b
}

func appendBlocks(b []byte, blocks []record.Block) []byte {
	for i := range blocks {
		x := &blocks[i]
		if !x.Net.IsValid() {
			continue
		}
		start := len(b)
		b = append(b, tag+" block:"...)
		b = appendNetKey(b, "net", x.Net)
		b = appendTextKey(b, "reason", string(x.Reason))
		b = appendTime(appendKey(b, "since"), x.Since)
		b = appendTime(appendKey(b, "until"), x.Until)
		b = appendNetKey(b, "host", x.Host)
		b = strconv.AppendInt(appendKey(b, "count"), int64(x.Count), 10)
		b = appendTextKey(b, "limit", x.By)
		b = appendServices(b, x.Services)
		if x.Note != "" {
			b = appendQuoted(appendKey(b, "note"), x.Note)
		}
		b = endLine(b, start)
	}
	return b
}

// appendNetKey and appendTextKey leave out what is not set.
func appendNetKey(b []byte, key string, net netip.Prefix) []byte {
	if !net.IsValid() {
		return b
	}
	return appendNet(appendKey(b, key), net)
}

func appendTextKey(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(appendKey(b, key), s)
}

func appendPast(b []byte, past []record.Past) []byte {
	for i := range past {
		x := &past[i]
		if !x.Net.IsValid() {
			continue
		}
		b = append(b, tag+" past:"...)
		b = appendNetKey(b, "net", x.Net)
		b = strconv.AppendInt(appendKey(b, "blocks"), int64(x.Blocks), 10)
		b = appendTime(appendKey(b, "last"), x.Last)
		b = append(b, '\n')
	}
	return b
}

func appendTallies(b []byte, tallies []record.Tally) []byte {
	for i := range tallies {
		x := &tallies[i]
		start := len(b)
		b = append(b, tag+" tally:"...)
		b = strconv.AppendUint(appendKey(b, "key"), x.Key, 16)
		b = appendTextKey(b, "rule", x.Rule)
		b = strconv.AppendInt(appendKey(b, "lines"), int64(x.Lines), 10)
		b = appendTime(appendKey(b, "last"), x.Last)
		b = endLine(b, start)
	}
	return b
}

func appendNames(b []byte, names []record.Name) []byte {
	for _, x := range names {
		start := len(b)
		b = appendTextKey(append(b, tag+" name:"...), "name", x.Name)
		for i, a := range x.Addrs {
			if i == 0 {
				b = appendKey(b, "addrs")
			} else {
				b = append(b, ',')
			}
			b = a.AppendTo(b)
		}
		b = endLine(b, start)
	}
	return b
}

func appendUsed(b []byte, used []record.Used) []byte {
	for _, x := range used {
		start := len(b)
		b = append(b, tag+" blocker: "...)
		b = appendText(b, x.Name)
		for _, k := range slices.Sorted(maps.Keys(x.Names)) {
			b = append(appendText(append(b, ' '), k), '=')
			b = appendText(b, x.Names[k])
		}
		b = endLine(b, start)
	}
	return b
}

func appendEvents(b []byte, events []record.Event) []byte {
	for i := range events {
		x := &events[i]
		start := len(b)
		b = append(b, tag+" event:"...)
		b = appendTime(appendKey(b, "at"), x.At)
		b = appendTextKey(b, "action", string(x.Action))
		b = appendNetKey(b, "net", x.Net)
		b = appendTextKey(b, "reason", string(x.Reason))
		b = strconv.AppendInt(appendKey(b, "count"), int64(x.Count), 10)
		b = strconv.AppendInt(appendKey(b, "before"), int64(x.Before), 10)
		b = appendServices(b, x.Services)
		b = endLine(b, start)
	}
	return b
}

func appendTroubles(b []byte, troubles []record.Trouble) []byte {
	for _, x := range troubles {
		start := len(b)
		b = append(b, tag+" trouble:"...)
		b = appendTime(appendKey(b, "since"), x.Since)
		b = appendTime(appendKey(b, "told"), x.Told)
		if x.Unmailed {
			b = append(appendKey(b, "unmailed"), "yes"...)
		}
		b = appendQuoted(appendKey(b, "text"), x.Text[:min(len(x.Text), maxTrouble)])
		b = endLine(b, start)
	}
	return b
}
