package unit

import (
	"time"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist"
	"platewatch/hotlist/match"
	"platewatch/hotlist/signed"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/uplink"
	"platewatch/uplink/message"
	"platewatch/uplink/outbox"
)

// drainTimeout bounds the time of the last deliveries when the unit stops.
// Together with the 2.5 s after which a camera's blocked call is abandoned, a
// stop takes less than 5 s.
const drainTimeout = 2 * time.Second

func recogniserParams(c *config.Config) ocr.Params {
	p := ocr.DefaultParams()
	p.Model, p.Workers, p.MinPlateWidth, p.Region = c.OCR.Model, c.OCR.Workers, c.OCR.MinPlateWidth, c.OCR.Region
	return p
}

// observeParams are the settings of a camera's observer.
func observeParams(c *config.Config, cam config.Camera) observe.Params {
	p := cam.Observe
	p.Passage = passageParams(c)
	return p
}

func passageParams(c *config.Config) passage.Params {
	p := passage.DefaultParams()
	p.Agree, p.Gap = c.Passage.Agree, c.Passage.Gap
	if p.Agree == 1 {
		// One frame is all there is: its own confidence must do.
		p.MinConfidence = 0.3
	}
	return p
}

// ListOptions are the hotlist's settings. Files that they name must be there.
func ListOptions(c config.Hotlist) (hotlist.Options, error) {
	o := hotlist.Options{KeyFile: c.KeyFile, Local: c.Local, RulesOf: func(name string, entries int) match.Rules {
		m := match.DefaultRules(entries)
		for _, l := range c.Lists {
			if l.Name == name {
				m = listMatching(l, m)
			}
		}
		return m
	}}
	for _, path := range c.Trust {
		k, err := signed.LoadTrustedKey(path)
		if err != nil {
			return o, err
		}
		o.Trust = append(o.Trust, k)
	}
	if c.Confusions != "" {
		var err error
		if o.Confusions, err = match.LoadConfusions(c.Confusions); err != nil {
			return o, err
		}
	}
	return o, nil
}

// listMatching is the default for a list, changed by what the configuration says.
func listMatching(l config.ListMatch, m match.Rules) match.Rules {
	switch l.Level {
	case config.LevelExact:
		m.Confusable, m.OneCharacter = false, false
	case config.LevelConfusable:
		m.Confusable, m.OneCharacter = true, false
	case config.LevelOneCharacter:
		m.Confusable, m.OneCharacter = true, true
	}
	if l.Wildcards != nil {
		m.Wildcards = *l.Wildcards
	}
	if l.MinProbability != nil {
		m.MinProbability, m.MinLookalike = *l.MinProbability, *l.MinProbability
	}
	if l.MinLookalike != nil {
		m.MinLookalike = *l.MinLookalike
	}
	if l.MinExact != nil {
		m.MinExact = *l.MinExact
	}
	return m
}

func outboxSettings(u *Unit) outbox.Settings {
	s := u.cfg.Uplink.Outbox
	s.ClockSet = func() bool { return u.clock().State == status.ClockSynchronised }
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
