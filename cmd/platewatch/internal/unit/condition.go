package unit

import (
	"context"
	"log/slog"
	"time"

	"platewatch/cmd/platewatch/internal/status"
)

// conditionEvery is the interval of looking at the unit's condition. A problem is
// logged when it is there at two looks in a row, so that a camera that opens or a
// broker that changes over needs nobody.
const conditionEvery = 10 * time.Second

// logCondition logs each problem when it has begun and when it is over, until ctx
// is done.
func (u *Unit) logCondition(ctx context.Context) error {
	l := conditionLog{log: u.log}
	tick := time.NewTicker(conditionEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			l.look(u.condition().Problems)
			u.recent.expire(u.cfg().Uplink.Outbox.Retention)
		}
	}
}

// conditionLog logs the beginning and the end of problems.
type conditionLog struct {
	log    *slog.Logger
	seen   map[string]bool // by the key, at the last look
	logged map[string]bool
}

func (l *conditionLog) look(problems []status.Problem) {
	now := map[string]bool{}
	for _, p := range problems {
		now[p.Key] = true
		if !l.seen[p.Key] || l.logged[p.Key] {
			continue
		}
		if l.logged == nil {
			l.logged = map[string]bool{}
		}
		l.logged[p.Key] = true
		level := map[status.Level]slog.Level{status.Bad: slog.LevelError, status.Warn: slog.LevelWarn}[p.Level]
		l.log.Log(context.Background(), level, p.Text, "problem", p.Key)
	}
	for key := range l.logged {
		if !now[key] && !l.seen[key] { // gone at two looks in a row
			delete(l.logged, key)
			l.log.Info("problem is over", "problem", key)
		}
	}
	l.seen = now
}
