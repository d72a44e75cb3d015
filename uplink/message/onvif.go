package message

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"

	"platewatch/uplink/failure"
)

// ONVIF publishes each hit once more, as the event of an ONVIF Profile M
// camera that recognises plates, for video management systems that take such
// events over MQTT (ONVIF Core Specification, "Event over MQTT"; Analytics
// Service Specification, "License Plate Recognition").
//
// The event has no field for "verified": such a receiver does not show that a
// person must compare plate and issuing state before acting. Nor has ONVIF an event
// that replaces another or takes it back: there is one for each vehicle, of the first
// revision that leaves the unit, and such a receiver keeps what it got.
type ONVIF struct {
	Enabled     bool   `toml:"enabled"`
	TopicPrefix string `toml:"topic_prefix"` // the levels before "onvif-ej"; default: the unit's name
}

// onvifRule is the Rule in topic and source: the name of the analytics rule
// that a camera would have been given.
const onvifRule = "platewatch"

// Problems yields a prefix that cannot be part of a topic.
func (o ONVIF) Problems() iter.Seq2[string, error] {
	return failure.Problems(func(add failure.Add) {
		if o.TopicPrefix == "" {
			return
		}
		for level := range strings.SplitSeq(o.TopicPrefix, "/") {
			if ValidateName(level) != nil {
				add("topic_prefix", `write levels of letters, digits, ".", "_" and "-", with "/" between them`,
					"= %q cannot be the beginning of a topic", o.TopicPrefix)
				return
			}
		}
	})
}

// Topic is {TopicPrefix}/onvif-ej/ and the event's topic without its namespace
// prefixes; after "&" come the values of the source, in their order.
func (o *ONVIF) Topic(h *Hit) string {
	// The specification demands a prefix that names the device.
	prefix := cmp.Or(o.TopicPrefix, h.Unit)
	return prefix + "/onvif-ej/RuleEngine/Recognition/LicensePlate/&" + onvifLevel(h.Camera) + "/" + onvifRule
}

// onvifLevel removes what would end the level or act as a wildcard.
func onvifLevel(s string) string { return strings.NewReplacer("/", "", "#", "", "+", "").Replace(s) }

type onvifEvent struct {
	UtcTime string      `json:"UtcTime"`
	Source  onvifSource `json:"Source"`
	Data    onvifData   `json:"Data"`
}

type onvifSource struct {
	VideoSource string `json:"VideoSource"`
	Rule        string `json:"Rule"`
}

type onvifData struct {
	Likelihood       float64       `json:"Likelihood"`
	LicensePlateInfo onvifInfo     `json:"LicensePlateInfo"`
	VehicleInfo      *onvifVehicle `json:"VehicleInfo,omitempty"`
	ObjectID         string        `json:"ObjectId"`
	BoundingBox      *onvifRect    `json:"BoundingBox,omitempty"`
	Label            string        `json:"Label"`
	Image            string        `json:"Image,omitempty"`
	Direction        string        `json:"Direction,omitempty"`
}

// An ElementItem is an object that its name in the event leads to, and in it the
// XML element, named by the schema.
type (
	onvifInfo struct {
		LicensePlateInfo onvifPlate `json:"LicensePlateInfo"`
	}
	onvifVehicle struct {
		VehicleInfo onvifBody `json:"VehicleInfo"`
	}
	onvifRect struct {
		Rectangle onvifBox `json:"Rectangle"`
	}
)

// onvifBody is tt:VehicleInfo (metadatastream.xsd). What the list says of the vehicle
// is not in it: the event tells what was seen.
type onvifBody struct {
	Type  onvifText  `json:"Type"` // mandatory
	Color onvifColor `json:"Color"`
}

// onvifColor is tt:ColorDescriptor (common.xsd) with one tt:ColorCluster.
type onvifColor struct {
	ColorCluster struct {
		Color onvifRGB `json:"Color"`
	} `json:"ColorCluster"`
}

// onvifRGB is tt:Color, 0 to 255.
type onvifRGB struct {
	Red        int     `json:"@X"`
	Green      int     `json:"@Y"`
	Blue       int     `json:"@Z"`
	Colorspace string  `json:"@Colorspace"`
	Likelihood float64 `json:"@Likelihood"`
}

// onvifColors are the names of colours in RGB, because tt:Color has no names: values
// in the middle of what each name is told of. Grey is also silver, brown also beige.
var onvifColors = map[string][3]int{
	"black": {0, 0, 0}, "white": {255, 255, 255}, "grey": {144, 144, 144}, "red": {192, 0, 0}, "blue": {0, 0, 192},
	"green": {0, 128, 0}, "yellow": {255, 224, 0}, "orange": {255, 128, 0}, "brown": {128, 80, 40},
}

// onvifColorspace says that a tt:Color is RGB; without it YCbCr is implied.
const onvifColorspace = "http://www.onvif.org/ver10/colorspace/RGB"

type onvifPlate struct {
	PlateNumber   onvifText  `json:"PlateNumber"`
	CountryCode   *onvifText `json:"CountryCode,omitempty"`
	IssuingEntity *onvifText `json:"IssuingEntity,omitempty"`
}

// onvifText is an element with an attribute. The specification does not define how
// its own text is written. "#text" is what the common converters between XML and
// JSON write beside "@" attributes (Newtonsoft's Json.NET, Python's xmltodict), so a
// receiver most likely expects it.
type onvifText struct {
	Likelihood float64 `json:"@Likelihood"`
	Text       string  `json:"#text"`
}

// onvifBox is in normalised coordinates: -1 to 1, x to the right, y up.
type onvifBox struct {
	Left   string `json:"@left"`
	Top    string `json:"@top"`
	Right  string `json:"@right"`
	Bottom string `json:"@bottom"`
}

// onvifDirections are the directions of a hit in the words of tt:Direction
// (onvif.xsd, ExtendedDirection). It has none for a parked vehicle.
var onvifDirections = map[string]string{"towards": "Approaching", "away": "Departing", "left": "Left", "right": "Right"}

// onvifLabel is ONVIF's own word for a plate on a hotlist.
const onvifLabel = "Blacklisted"

// countryRegion is a region that names one country, and perhaps a state of it.
var countryRegion = regexp.MustCompile(`^([a-z]{2})(?:-([a-z0-9]{1,3}))?$`)

// Event encodes a hit with its pictures.
func (o *ONVIF) Event(h *Hit) ([]byte, error) {
	e := onvifEvent{
		UtcTime: h.CapturedAt.UTC().Format(time.RFC3339Nano),
		Source:  onvifSource{VideoSource: h.Camera, Rule: onvifRule},
		Data: onvifData{
			Likelihood: h.Confidence, Label: onvifLabel,
			ObjectID: strconv.FormatUint(h.Passage, 10),
			LicensePlateInfo: onvifInfo{onvifPlate{
				PlateNumber: onvifText{Likelihood: h.Confidence, Text: h.Text},
			}},
			Direction:   onvifDirections[h.Direction],
			VehicleInfo: onvifVehicleOf(h.Colour),
		},
	}
	e.Data.LicensePlateInfo.LicensePlateInfo.issued(h)
	if f := h.Frame; f != nil && f.Width > 0 && f.Height > 0 {
		x := func(v int) string { return strconv.FormatFloat(2*float64(v)/float64(f.Width)-1, 'f', 4, 64) }
		y := func(v int) string { return strconv.FormatFloat(1-2*float64(v)/float64(f.Height), 'f', 4, 64) }
		e.Data.BoundingBox = &onvifRect{onvifBox{Left: x(f.Box[0]), Top: y(f.Box[1]), Right: x(f.Box[0] + f.Box[2]), Bottom: y(f.Box[1] + f.Box[3])}}
	}
	if h.PlatePicture != nil {
		e.Data.Image = base64.StdEncoding.EncodeToString(h.PlatePicture.JPEG)
	}
	return json.Marshal(e)
}

// onvifVehicleOf is the vehicle with a colour; nil where none was seen. Its type is
// not known: "Others", the specification's word for what is none of its types, with
// a likelihood of 0, because a missing one means certainty.
func onvifVehicleOf(c *Colour) *onvifVehicle {
	if c == nil {
		return nil
	}
	rgb, ok := onvifColors[c.Name]
	if !ok {
		return nil
	}
	v := &onvifVehicle{onvifBody{Type: onvifText{Text: "Others"}}}
	v.VehicleInfo.Color.ColorCluster.Color = onvifRGB{rgb[0], rgb[1], rgb[2], onvifColorspace, c.Confidence}
	return v
}

// issued adds who issued the plate: as the unit saw it, or else as the plates of
// this form come from the region; "eu" is not a country.
func (p *onvifPlate) issued(h *Hit) {
	code, likelihood := h.Region, h.Confidence
	if h.Issuer != nil {
		code, likelihood = h.Issuer.Code, h.Issuer.Confidence
	}
	m := countryRegion.FindStringSubmatch(code)
	if m == nil || m[1] == "eu" {
		return
	}
	country := strings.ToUpper(m[1])
	if country == "UK" {
		country = "GB" // ISO 3166-1
	}
	p.CountryCode = &onvifText{Likelihood: likelihood, Text: country}
	if m[2] != "" {
		p.IssuingEntity = &onvifText{Likelihood: likelihood, Text: strings.ToUpper(m[2])}
	}
}
