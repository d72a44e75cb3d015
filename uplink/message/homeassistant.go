package message

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"platewatch/uplink/failure"
)

// HomeAssistant announces the unit to Home Assistant by MQTT discovery: one
// retained message for the device and its entities, which read the unit's own
// topics. Names of entities contain no plate text; the state of "Last hit" does.
type HomeAssistant struct {
	Enabled bool     `toml:"enabled"`
	Prefix  string   `toml:"prefix"` // of Home Assistant's discovery; default "homeassistant"
	Cameras []string `toml:"-"`      // names of the unit's cameras

	Position *Position `toml:"-"` // of the unit; may be nil
	// Note is a file that keeps the topic of what was announced, so that the device
	// can be taken away when this is switched off; "" for none.
	Note string `toml:"-"`
}

// DefaultHomeAssistant returns the settings that the configuration file starts
// from.
func DefaultHomeAssistant() HomeAssistant { return HomeAssistant{Prefix: "homeassistant"} }

// Problems yields a prefix that cannot be part of a topic.
func (a HomeAssistant) Problems() iter.Seq2[string, error] {
	return failure.Problems(func(add failure.Add) {
		if ValidateName(a.Prefix) != nil {
			add("prefix", `write "homeassistant", or the prefix that Home Assistant is set to`, "= %q cannot be the beginning of a topic", a.Prefix)
		}
	})
}

// homeID is a unit's name in the characters that discovery allows.
func homeID(unit string) string { return strings.ReplaceAll(unit, ".", "__") }

// Topic is where Home Assistant expects the discovery message. Retained.
func (a *HomeAssistant) Topic(unit string) string {
	return cmp.Or(a.Prefix, DefaultHomeAssistant().Prefix) + "/device/" + homeID(unit) + "/config"
}

type homeDevice struct {
	Device       homeIdentity             `json:"device"`
	Origin       homeOrigin               `json:"origin"`
	Availability []homeAvailability       `json:"availability"`
	QoS          int                      `json:"qos"`
	Components   map[string]homeComponent `json:"components"`
}

type homeIdentity struct {
	Identifiers []string `json:"identifiers"`
	Name        string   `json:"name"`
	Model       string   `json:"model"`
	Software    string   `json:"sw_version,omitempty"`
}

type homeOrigin struct {
	Name     string `json:"name"`
	Software string `json:"sw_version,omitempty"`
}

type homeAvailability struct {
	Topic         string `json:"topic"`
	ValueTemplate string `json:"value_template"`
	Available     string `json:"payload_available"`
	NotAvailable  string `json:"payload_not_available"`
}

type homeComponent struct {
	Platform           string `json:"platform"`
	UniqueID           string `json:"unique_id"`
	Name               string `json:"name"`
	StateTopic         string `json:"state_topic,omitempty"`
	ValueTemplate      string `json:"value_template,omitempty"`
	DeviceClass        string `json:"device_class,omitempty"`
	StateClass         string `json:"state_class,omitempty"`
	Unit               string `json:"unit_of_measurement,omitempty"`
	Category           string `json:"entity_category,omitempty"`
	Icon               string `json:"icon,omitempty"`
	AttributesTopic    string `json:"json_attributes_topic,omitempty"`
	AttributesTemplate string `json:"json_attributes_template,omitempty"`
}

// Message encodes the discovery message of a unit; software is the version of its
// daemon.
func (a *HomeAssistant) Message(unit, software string) ([]byte, error) {
	id := "platewatch_" + homeID(unit)
	hits, health := Topic(unit, KindHits), Topic(unit, KindHealth)
	d := homeDevice{
		Device: homeIdentity{Identifiers: []string{id}, Name: "platewatch " + unit, Model: "platewatch unit", Software: software},
		Origin: homeOrigin{Name: "platewatch", Software: software},
		Availability: []homeAvailability{{Topic: Topic(unit, KindState), ValueTemplate: "{{ value_json.state }}",
			Available: string(Online), NotAvailable: string(Offline)}},
		QoS: 1,
		Components: map[string]homeComponent{
			"last_hit": {Platform: "sensor", Name: "Last hit", StateTopic: hits, Icon: "mdi:car-search",
				ValueTemplate:   "{{ 'withdrawn' if value_json.withdrawn | default(false) else value_json.text }}",
				AttributesTopic: hits,
				// Without the pictures: Home Assistant bounds what it stores.
				AttributesTemplate: "{{ ({'id': value_json.id, 'withdrawn': true} if value_json.withdrawn | default(false) else " +
					"{'id': value_json.id, 'camera': value_json.camera, 'captured_at': value_json.captured_at, " +
					"'confidence': value_json.confidence, 'list': value_json.matches[0].list, 'category': value_json.matches[0].category, " +
					"'entry_plate': value_json.matches[0].entry.plate, 'handling': value_json.matches[0].handling | default(''), " +
					"'covert': value_json.matches[0].covert | default(false), 'historical': value_json.historical, " +
					"'verified': value_json.verified, 'notice': value_json.notice}) | tojson }}"},
			"backlog": {Platform: "sensor", Name: "Backlog", StateTopic: health, ValueTemplate: "{{ value_json.outbox.entries }}",
				StateClass: "measurement", Unit: "hits", Category: "diagnostic", Icon: "mdi:tray-full"},
			"hits": {Platform: "sensor", Name: "Hits", StateTopic: health, ValueTemplate: "{{ value_json.hits }}",
				StateClass: "total_increasing", Unit: "hits", Icon: "mdi:car-search"},
			"passages": {Platform: "sensor", Name: "Passages", StateTopic: health, ValueTemplate: "{{ value_json.passages }}",
				StateClass: "total_increasing", Unit: "vehicles", Icon: "mdi:car-multiple"},
			"temperature": {Platform: "sensor", Name: "Temperature", StateTopic: health, ValueTemplate: "{{ value_json.temperature_c | default(none) }}",
				DeviceClass: "temperature", StateClass: "measurement", Unit: "°C", Category: "diagnostic"},
			"problem": {Platform: "binary_sensor", Name: "Problem", StateTopic: health, DeviceClass: "problem", Category: "diagnostic",
				ValueTemplate:      "{{ 'ON' if value_json.problems is defined and value_json.problems else 'OFF' }}",
				AttributesTopic:    health,
				AttributesTemplate: "{{ {'problems': value_json.problems | default([])} | tojson }}"},
		},
	}
	if p := a.Position; p != nil {
		d.Components["position"] = homeComponent{Platform: "device_tracker", Name: "Position", Category: "diagnostic",
			AttributesTopic:    Topic(unit, KindState),
			AttributesTemplate: fmt.Sprintf("{{ {'latitude': %.6f, 'longitude': %.6f, 'gps_accuracy': 0} | tojson }}", p.Latitude, p.Longitude)}
	}
	for _, name := range a.Cameras {
		d.Components["camera_"+homeID(name)] = homeComponent{
			Platform: "binary_sensor", Name: "Camera " + name, StateTopic: health, DeviceClass: "connectivity", Category: "diagnostic",
			ValueTemplate: fmt.Sprintf("{{ 'ON' if value_json.cameras | selectattr('name', 'eq', '%s') | selectattr('state', 'eq', 'online') | list else 'OFF' }}", name),
		}
	}
	for key, c := range d.Components {
		c.UniqueID = id + "_" + key
		d.Components[key] = c
	}
	return json.Marshal(d)
}
