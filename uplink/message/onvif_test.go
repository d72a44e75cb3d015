package message

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestONVIFTopics(t *testing.T) {
	h := Hit{Unit: "unit-7", Camera: "a/b+c#"}
	if got := (&ONVIF{}).Topic(&h); got != "unit-7/onvif-ej/RuleEngine/Recognition/LicensePlate/&abc/platewatch" {
		t.Error(got)
	}
	for _, bad := range []string{"a//b", "+", "a/#"} {
		n := 0
		for range (ONVIF{TopicPrefix: bad}).Problems() {
			n++
		}
		if n != 1 {
			t.Errorf("%q has %d problems", bad, n)
		}
	}
}

func TestONVIFEvent(t *testing.T) {
	h := Hit{Passage: 12, Camera: "north", CapturedAt: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Text: "M5XSX", Confidence: 0.94,
		Region: "us-ca", Direction: "towards", Frame: &Frame{Width: 1280, Height: 720, Box: [4]int{396, 340, 203, 46}},
		PlatePicture: &Picture{JPEG: make([]byte, 300)}}
	b, err := (&ONVIF{}).Event(&h)
	if err != nil {
		t.Fatal(err)
	}
	var got onvifEvent
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := onvifEvent{UtcTime: "2026-05-04T03:02:01Z", Source: onvifSource{"north", "platewatch"}, Data: onvifData{
		Likelihood: 0.94, ObjectID: "12", Label: "Blacklisted", Direction: "Approaching", Image: strings.Repeat("A", 400),
		BoundingBox:      &onvifRect{onvifBox{"-0.3812", "0.0556", "-0.0641", "-0.0722"}}, // 396 340 203 46 of 1280 × 720
		LicensePlateInfo: onvifInfo{onvifPlate{PlateNumber: onvifText{0.94, "M5XSX"}, CountryCode: &onvifText{0.94, "US"}, IssuingEntity: &onvifText{0.94, "CA"}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

// TestONVIFIssuer: the issuer that was read on the plate takes precedence over the
// region of its series.
func TestONVIFIssuer(t *testing.T) {
	h := Hit{Region: "us-ca", Confidence: 0.9, Issuer: &Issuer{Code: "us-tx", Confidence: 0.7}}
	var p onvifPlate
	p.issued(&h)
	if p.CountryCode == nil || *p.CountryCode != (onvifText{0.7, "US"}) || p.IssuingEntity == nil || *p.IssuingEntity != (onvifText{0.7, "TX"}) {
		t.Errorf("%+v %+v", p.CountryCode, p.IssuingEntity)
	}
}

// TestONVIFVehicle: the colour is an RGB cluster of VehicleInfo, whose mandatory type
// says that it is not known. Without a colour there is no VehicleInfo.
func TestONVIFVehicle(t *testing.T) {
	event := func(c *Colour) string {
		b, err := (&ONVIF{}).Event(&Hit{Camera: "north", Text: "M5XSX", Colour: c})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const want = `"VehicleInfo":{"VehicleInfo":{"Type":{"@Likelihood":0,"#text":"Others"},"Color":{"ColorCluster":{"Color":` +
		`{"@X":192,"@Y":0,"@Z":0,"@Colorspace":"http://www.onvif.org/ver10/colorspace/RGB","@Likelihood":0.88}}}}}`
	if got := event(&Colour{Name: "red", Confidence: 0.88}); !strings.Contains(got, want) {
		t.Errorf("%s\nhas no\n%s", got, want)
	}
	for _, c := range []*Colour{nil, {Name: "mauve", Confidence: 0.9}} {
		if got := event(c); strings.Contains(got, "VehicleInfo") {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestONVIFColors: each colour that a hit may have has its RGB.
func TestONVIFColors(t *testing.T) {
	b, err := schemaFile("hit.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	_, names, _ := strings.Cut(string(b), "The colour of the vehicle's body")
	_, names, _ = strings.Cut(names, `"enum": `)
	names, _, _ = strings.Cut(names, "]")
	var colours []string
	if err := json.Unmarshal([]byte(names+"]"), &colours); err != nil {
		t.Fatal(err)
	}
	if len(colours) != len(onvifColors) {
		t.Errorf("%d colours, %d of them in RGB", len(colours), len(onvifColors))
	}
	for _, name := range colours {
		if _, ok := onvifColors[name]; !ok {
			t.Errorf("%s has no RGB", name)
		}
	}
}

func TestHomeAssistantDevice(t *testing.T) {
	a := &HomeAssistant{Cameras: []string{"north"}, Position: &Position{Latitude: 52.5, Longitude: 13.4}}
	b, err := a.Message("unit-7", "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var d homeDevice
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Components) != 8 || d.Components["position"].AttributesTemplate != "{{ {'latitude': 52.500000, 'longitude': 13.400000, 'gps_accuracy': 0} | tojson }}" || d.Components["camera_north"].StateTopic != Topic("unit-7", KindHealth) {
		t.Errorf("device: %+v", d)
	}
	if got := a.Topic("unit.7"); got != "homeassistant/device/unit__7/config" {
		t.Error(got)
	}
}
