package config

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

type room struct {
	Wait    time.Duration `toml:"wait"`
	Most    *int64        `toml:"most" unit:"bytes"`
	Sizes   []int64       `toml:"sizes" unit:"bytes"`
	Corners []corner      `toml:"corners"`
	Callers []caller      `toml:"caller"`
	Dial    func()        `toml:"-"`
	//lint:ignore U1000 a file must not set a field that is not exported
	inner int
}

type corner struct{ X, Y float64 }

type caller struct {
	Name string `toml:"name"`
}

type advised struct{ error }

func (advised) Hint() string { return "wait longer" }

func (r room) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if r.Wait < time.Second && !yield("wait", advised{fmt.Errorf("= %v is too short", r.Wait)}) {
			return
		}
		for i, c := range r.Callers {
			if c.Name == "" && !yield(indexPath("caller", i)+".name", errors.New(": a caller needs a name")) {
				return
			}
		}
	}
}

// outer embeds the settings of a room, and another one beside it.
type outer struct {
	Name string `toml:"name"`
	room
	Beside *Beside `toml:"beside"`
}

// Beside has keys of its own.
type Beside struct {
	Room   room   `toml:"room"`
	Inline caller `toml:",inline"`
}

func bindText(t *testing.T, text string) (outer, *findings) {
	t.Helper()
	var tree map[string]any
	if err := toml.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	var v outer
	f := &findings{origin: &origin{file: "room.toml", lines: keyLines([]byte(text))}}
	binder{f}.table("", tree, reflect.ValueOf(&v).Elem())
	f.unread = len(f.list)
	f.check("", reflect.ValueOf(v))
	return v, f
}

func TestBindSettingsOfRooms(t *testing.T) {
	got, f := bindText(t, `
name = "a"
wait = "2 s"
most = "1KiB"
sizes = ["1B", "2kB"]
corners = [[0, 1], [0.5, 1]]
[[caller]]
name = "b"
[beside]
name = "c"
[beside.room]
wait = "1h"
`)
	most := int64(1024)
	want := outer{Name: "a", room: room{Wait: 2 * time.Second, Most: &most, Sizes: []int64{1, 2000},
		Corners: []corner{{0, 1}, {0.5, 1}}, Callers: []caller{{"b"}}}, Beside: &Beside{room{Wait: time.Hour}, caller{"c"}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outer{}, room{})); diff != "" || f.err() != nil {
		t.Errorf("%v (-want +got):\n%s", f.err(), diff)
	}
}

func TestProblemsOfRooms(t *testing.T) {
	_, f := bindText(t, `
wait = "1ms"
most = "none"
inner = 3
[[caller]]
[beside.room]
wait = 7
corners = [[0, 1, 2], 3]
`)
	want := `room.toml has 7 problems:
  room.toml:2: wait = 1ms is too short; wait longer
  room.toml:3: most: "none" is not a size; write a size such as "64MiB"
  room.toml:4: unknown key or section inner; remove it, or see the example file for the keys there are
  room.toml:5: caller[0].name: a caller needs a name
  room.toml:7: beside.room.wait is the number 7; write a length of time such as "2s" or "500ms"
  room.toml:8: beside.room.corners[0] has 3 numbers; write a corner [x, y]
  room.toml:8: beside.room.corners[1] is the number 3; write a corner [x, y]`
	if diff := cmp.Diff(want, f.err().Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
