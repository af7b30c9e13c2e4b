package expire

import (
	"testing"
	"time"

	"blockhosts/internal/record"
)

func TestTroubles(t *testing.T) {
	missing := record.Problem{Key: "blocker iptables: not found", Text: "iptables: not found; apt-get install iptables", Fails: true}
	notice := record.Problem{Key: "source /x: missing"}
	var on []record.Trouble
	for _, step := range []struct {
		hours                 int
		problems              []record.Problem
		began, lasting, ended int
	}{
		{0, nil, 0, 0, 0},
		{1, []record.Problem{missing, notice, missing}, 2, 0, 0},
		{2, []record.Problem{missing}, 0, 0, 0},
		{24, []record.Problem{missing}, 0, 0, 0},
		{25, []record.Problem{missing}, 0, 1, 0},
		{26, []record.Problem{missing}, 0, 0, 0},
		{27, []record.Problem{notice}, 1, 0, 1},
		{28, []record.Problem{missing}, 1, 0, 0},
		{-28, []record.Problem{missing}, 0, 1, 0}, // the clock was put back
		{-27, []record.Problem{missing}, 0, 0, 0},
	} {
		next, news := Troubles(on, step.problems, noon.Add(time.Duration(step.hours)*time.Hour))
		if len(news.Began) != step.began || len(news.Lasting) != step.lasting || len(news.Ended) != step.ended {
			t.Errorf("hour %d: %+v, want %d began, %d lasting, %d ended", step.hours, news, step.began, step.lasting, step.ended)
		}
		on = next
	}
	if len(on) != 1 || on[0].Text != missing.Key {
		t.Errorf("on record: %+v", on)
	}
}
