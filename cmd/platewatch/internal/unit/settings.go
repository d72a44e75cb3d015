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
	s := u.cfg.Uplink.Outbox
	s.Key = key
	s.ClockSet = func() bool { return u.clock().State == status.ClockSynchronised }
	s.Machine = machineFacts("/")
	s.MaxPlatePicture = int(u.cfg.Pictures.PlateBytes)
	s.MaxContextPicture = int(u.cfg.Pictures.ContextBytes)
	return s
}

func clientSettings(u *Unit) uplink.Settings {
	s := u.cfg.Uplink.Client
	s.Brokers = u.cfg.Uplink.Broker.List()
	s.Software = u.o.Version.Version
	s.Health = u.health
	s.DrainTimeout = drainTimeout
	s.HomeAssistant.Position = position(u.cfg)
	s.HomeAssistant.Note = filepath.Join(u.cfg.StateDir, "home-assistant")
	for _, camera := range u.cfg.Cameras {
		s.HomeAssistant.Cameras = append(s.HomeAssistant.Cameras, camera.Name)
	}
	return s
}

func position(c *config.Config) *message.Position {
	p := c.Unit.Position
	if p == nil {
		return nil
	}
	return &message.Position{Latitude: p.Latitude, Longitude: p.Longitude, Heading: p.Bearing, Name: p.Description}
}
