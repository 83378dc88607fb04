package handler

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// span is from a first instant up to a second one.
type span struct{ from, to time.Time }

func covers(spans []span, at time.Time) (span, bool) {
	for _, s := range spans {
		if !at.Before(s.from) && at.Before(s.to) {
			return s, true
		}
	}
	return span{}, false
}

// dayService is a service with its traffic, its trigger's troubles, and the
// controllers that make its pods.
type dayService struct {
	kind, name string
	keda       bool
	active     []span
	troubles   []span
	startup    time.Duration // from spec.replicas to ready pods

	raised time.Time // when spec.replicas was first seen above zero; zero: at zero
	ready  bool
	asked  time.Time // the window of the last answered notification
	asking bool

	mu            sync.Mutex
	wakes, failed int
	slowest       time.Duration // from traffic to ready pods
}

// The methods of scaling.Scaler: the last traffic was dayLag ago or more.
func (s *dayService) IsHealthy(context.Context) (bool, error) {
	now := time.Now()
	if _, trouble := covers(s.troubles, now); trouble {
		if now.Unix()%2 == 0 {
			return false, nil
		}
		return false, errTest
	}
	return true, nil
}

func (s *dayService) ShouldScaleToZero(ctx context.Context) (bool, error) {
	busy, err := s.ShouldScaleFromZero(ctx)
	return !busy, err
}

func (s *dayService) ShouldScaleFromZero(context.Context) (bool, error) {
	_, busy := covers(s.active, time.Now().Add(-dayLag))
	return busy, nil
}

func (s *dayService) Close() error { return nil }

// draw fills a day with traffic and troubles; the last two hours have a span of
// traffic of twenty minutes, then none, and no trouble.
func (s *dayService) draw(start time.Time, dice *rand.Rand) {
	minutes := func(least, most int) time.Duration {
		return time.Duration(least*60+dice.IntN((most-least)*60)) * time.Second
	}
	end := start.Add(22 * time.Hour)
	for at := start.Add(minutes(10, 40)); ; {
		busy := span{at, at.Add(minutes(3, 50))}
		if busy.to.After(end) {
			break
		}
		s.active = append(s.active, busy)
		at = busy.to.Add(minutes(2, 90))
	}
	s.active = append(s.active, span{end.Add(20 * time.Minute), end.Add(40 * time.Minute)})
	for at := start.Add(minutes(30, 90)); at.Before(end); at = at.Add(minutes(60, 240)) {
		s.troubles = append(s.troubles, span{at, at.Add(minutes(2, 20))})
	}
	s.startup = 4*time.Second + time.Duration(dice.IntN(10))*time.Second
}
