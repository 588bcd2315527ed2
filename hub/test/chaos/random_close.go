package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// living are the connections whose family has not ended.
func (s *site) living() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, name := range s.names {
		if !s.seen[s.family[name]] {
			list = append(list, name)
		}
	}
	return list
}

// renewLiving has every connection whose family lives renew once more.
func (s *site) renewLiving(ctx context.Context) {
	// One whose hub was killed with the request out waits until that can have no answer.
	ctx, cancel := context.WithTimeout(ctx, randomTimes().exchange+time.Minute)
	defer cancel()
	var work sync.WaitGroup
	free := make(chan struct{}, 16)
	for _, name := range s.living() {
		free <- struct{}{}
		work.Go(func() {
			defer func() { <-free }()
			s.renewOnceMore(ctx, name)
		})
	}
	work.Wait()
}

// renewOnceMore asks until the connection has renewed, its family has ended, or the
// time is over. A hub that is late says so and goes on.
func (s *site) renewOnceMore(ctx context.Context, name string) {
	s.mu.Lock()
	family := s.family[name]
	s.mu.Unlock()
	for {
		_, err := renews(ctx, s.client, s.anyURL(), name)
		if err == nil || s.authority.Grant(family).Ended != nil {
			return
		}
		if wait(ctx, time.Second) != nil {
			s.problem("%s: %v", name, err)
			s.gone(name, family, causeDead)
			return
		}
	}
}

// shown bounds the timelines that are printed.
const shown = 5

// judge closes a site's books: every connection whose family lives has to renew
// once more.
func (s *site) judge(ctx context.Context, took time.Duration) tally {
	var t tally
	s.renewLiving(ctx)
	for _, family := range s.authority.Ended() {
		s.judgeEnd(family)
	}
	s.load.report(s.stage, &t, s.name, took)
	if s.failed > 1 {
		s.problem("%d times a hub ended before it served", s.failed)
	}
	judged := s.authority.Judge()
	t.renewals, t.doubleSpent, t.problems = judged.Renewals, judged.DoubleSpent, append(t.problems, s.troubled...)
	causes := map[string]int{}
	for _, l := range s.losses {
		causes[l.cause]++
		if l.killedOut {
			// A hub that is killed again before it has read that the grant is over asks again.
			t.killedOut, t.doubleSpent = t.killedOut+1, t.doubleSpent-s.authority.Grant(l.family).DoubleSpent
			continue
		}
		if t.lost++; t.lost <= shown {
			s.say("   %s: %s (%s) is lost: %s\n      %s", s.name, l.connection, l.family, l.cause, strings.Join(l.timeline, "\n      "))
		}
	}
	s.say("   %s: %s", s.name, s.chronicle.counts())
	s.say("   %s: %d renewals; grants that ended, by cause: %s", s.name, t.renewals, causesOf(causes))
	return t
}

func causesOf(n map[string]int) string {
	if len(n) == 0 {
		return "none"
	}
	var said []string
	for cause, count := range n {
		said = append(said, fmt.Sprintf("%d %s", count, cause))
	}
	slices.Sort(said)
	return strings.Join(said, ", ")
}
