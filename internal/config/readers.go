package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

//go:noinline
func textTo(p *string, checks ...check) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		if s, ok := d.text(key, n, checks...); ok {
			*p = s
		}
	}
}

// listTo reads texts; with need, at least one.
//
//go:noinline
func listTo(p *[]string, need bool, checks ...check) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		list, ok := d.items(key, n, "a list")
		if !ok {
			return
		}
		if need && len(list) == 0 {
			d.fail(n, key, "an empty list", "name one or more, or leave the key out for the default")
		}
		var out []string // nil where empty: one form for one meaning
		for _, item := range list {
			if s, ok := d.text(key, item, checks...); ok {
				out = append(out, s)
			}
		}
		*p = out
	}
}

func boolTo(p *bool) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			d.want(n, key, "true or false", "")
			return
		}
		*p = strings.EqualFold(n.Value, "true")
	}
}

func intTo(p *int, lo, hi int) reader { return wholeTo(p, lo, hi, "") }

// wholeTo names, besides, what else could stand there.
//
//go:noinline
func wholeTo(p *int, lo, hi int, or string) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		i, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || i < lo || i > hi || n.Value != strconv.Itoa(i) {
			d.want(n, key, fmt.Sprintf("a whole number from %d to %d%s", lo, hi, or), "")
			return
		}
		*p = i
	}
}

// decimal is a number as people write it.
var decimal = lazily(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// factorTo reads a number from 1 on, whole or not.
func factorTo(p *float64) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		f, err := strconv.ParseFloat(n.Value, 64)
		number := n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") && decimal().MatchString(n.Value)
		if !number || err != nil || f < 1 || f > maxFactor {
			d.want(n, key, fmt.Sprintf("a number from 1 to %d", maxFactor), "")
			return
		}
		*p = f
	}
}

// ageTo reads a duration of at least so much.
//
//go:noinline
func ageTo(p *time.Duration, least time.Duration) reader {
	return func(d *decoder, key string, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") {
			d.want(n, key, "a duration with its unit", fmt.Sprintf("for hours write %sh", strings.TrimPrefix(cut(n.Value), "-")))
			return
		}
		if n.Kind != yaml.ScalarNode || isNull(n) {
			d.want(n, key, "a duration", "write 12h or the like")
			return
		}
		age, err := parseDuration(n.Value)
		if err != nil {
			d.fail(n, key, err.Error(), "units are s m h d w, the largest first: 30s 10m 12h 7d 4w 1d12h")
			return
		}
		if age < least {
			d.want(n, key, "a duration of "+FormatAge(least)+" or more", "")
			return
		}
		*p = age
	}
}
