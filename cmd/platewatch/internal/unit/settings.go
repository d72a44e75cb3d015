package unit

import (
	"path/filepath"
	"time"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// drainTimeout bounds the time of the last deliveries when the unit stops.
// Together with the 2.5 s that a camera takes to stop, a
// stop takes less than 5 s.
const drainTimeout = 2 * time.Second

// observeParams are the settings of a camera's observer.
func observeParams(c *config.Config, cam config.Camera) observe.Params {
	p := cam.Observe
	p.Passage = c.Passage
	return p
}

func outboxSettings(u *Unit, key []byte) outbox.Settings {
	s := u.cfg().Uplink.Outbox
	s.Key = key
	s.ClockSet = func() bool { return u.clock().State == status.ClockSynchronised }
	s.Machine = machineFacts("/")
	s.Deleted = u.recordDeleted
	s.MaxPlatePicture = int(u.cfg().Pictures.PlateBytes)
	s.MaxContextPicture = int(u.cfg().Pictures.ContextBytes)
	return s
}

func clientSettings(u *Unit, cfg *config.Config) uplink.Settings {
	s := cfg.Uplink.Client
	s.Brokers = cfg.Uplink.Broker.List()
	s.Software = u.o.Version.Version
	s.Health = u.health
	s.Verdicts = u.takeVerdicts
	s.DrainTimeout = drainTimeout
	s.HomeAssistant.Position = position(cfg)
	s.HomeAssistant.Note = filepath.Join(cfg.StateDir, "home-assistant")
	for _, camera := range cfg.Cameras {
		s.HomeAssistant.Cameras = append(s.HomeAssistant.Cameras, camera.Name)
	}
	return s
}

// newClient makes the client that a configuration asks for; nil without a broker.
func newClient(u *Unit, cfg *config.Config) (*uplink.Client, error) {
	if len(cfg.Uplink.Broker.Brokers) == 0 {
		return nil, nil
	}
	s := clientSettings(u, cfg)
	var err error
	if s.Lists, err = listUpdates(u, cfg); err != nil {
		return nil, err
	}
	return uplink.NewClient(s, u.outbox, u.log)
}

func position(c *config.Config) *message.Position {
	p := c.Unit.Position
	if p == nil {
		return nil
	}
	return &message.Position{Latitude: p.Latitude, Longitude: p.Longitude, Heading: p.Bearing, Name: p.Description}
}
