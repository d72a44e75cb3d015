package oversight

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist"
	"platewatch/uplink"
	"platewatch/uplink/broker"
)

// Policy says in plain words what a unit does: what it keeps, sends and shows, for how
// long, to whom, and why.
type Policy struct {
	Unit     string
	At       time.Time
	Sections []Section
	// Laws are what some laws demand of a published policy, and where it stands.
	Laws []Law
}

// Section is a part of the policy.
type Section struct {
	Title string
	Text  []string // paragraphs
	Table [][]string
	Blank []string // what only the agency can say, to be filled in
}

// Law is what a law demands of a published policy.
type Law struct {
	Name    string
	Demands [][2]string // what, and in which section it stands
}

// trailYears is for how long the audit trail is kept, see package audit.
const trailYears = 3

// LoadPolicy makes the policy of a configuration and of the lists in its hotlist, which
// may not be there yet.
func LoadPolicy(c *config.Config, at time.Time) (*Policy, error) {
	o, err := c.Hotlist.Options()
	if err != nil {
		return nil, err
	}
	db, err := hotlist.OpenReadOnly(c.Hotlist.Path, o)
	if errors.Is(err, fs.ErrNotExist) {
		return newPolicy(c, nil, at), nil
	}
	if err != nil {
		return nil, err
	}
	defer db.Close()
	lists, err := db.States(at, false)
	return newPolicy(c, lists, at), err
}

// newPolicy makes the policy of a configuration and of the lists that the unit holds.
func newPolicy(c *config.Config, lists []hotlist.ListState, at time.Time) *Policy {
	return &Policy{Unit: c.Unit.Name, At: at, Laws: laws, Sections: []Section{
		purpose(c), reads(c), keeps(c), sends(c), shows(c), held(lists), accuracy(c), security(c), monitoring(), responsible(),
	}}
}

func purpose(c *config.Config) Section {
	s := Section{Title: "Purpose", Text: []string{
		"The unit looks for vehicles whose plates are on lists of wanted plates, and reports those to a server. A report is a lead: a person compares plate and issuing state before anybody acts."}}
	p := c.Hotlist.Purpose
	switch {
	case len(p.Allow) > 0:
		s.Text = append(s.Text, "It may be used only for these categories of entries: "+join(p.Allow)+". It refuses lists with others.")
	default:
		s.Text = append(s.Text, "The configuration does not limit the categories of entries that it may be used for.")
	}
	if len(p.Deny) > 0 {
		s.Text = append(s.Text, "It may not be used for: "+join(p.Deny)+". It refuses lists with such entries.")
	}
	s.Blank = []string{"The authorised purposes, and the law or order that they follow from"}
	return s
}

func reads(c *config.Config) Section {
	s := Section{Title: "What is watched"}
	place := "Where the unit stands is not given in its configuration."
	if p := c.Unit.Position; p != nil {
		place = strings.TrimSuffix(fmt.Sprintf("The unit stands at %.5f, %.5f: %s", p.Latitude, p.Longitude, p.Description), ": ") + "."
	}
	s.Text = []string{place, fmt.Sprintf("It has %s. Each vehicle's plate is read and compared with the lists on the unit itself, in memory.", count(len(c.Cameras), "camera")),
		"Of a plate that is on no list nothing is stored, logged or sent: neither its text nor a picture. It is counted."}
	s.Table = [][]string{{"Camera", "Kind"}}
	for _, cam := range c.Cameras {
		kind, _, _ := capture.KindOf(cam.Config)
		s.Table = append(s.Table, []string{cam.Name, kind.Name})
	}
	return s
}

func keeps(c *config.Config) Section {
	o := &c.Uplink.Outbox
	pictures := fmt.Sprintf("a picture of the plate (at most %s) and one of the vehicle around it (at most %s)", setting.FormatSize(c.Pictures.PlateBytes), setting.FormatSize(c.Pictures.ContextBytes))
	if c.Pictures.ContextBytes == 0 {
		pictures = fmt.Sprintf("a picture of the plate (at most %s)", setting.FormatSize(c.Pictures.PlateBytes))
	}
	return Section{Title: "What is kept, and for how long", Text: []string{
		fmt.Sprintf("A hit is kept on the unit until the server has it, and for %s at most: text, time, place, the entries that it matched, %s. The last hits stay in memory for the status page for as long. Then they are deleted and overwritten, also after a power cut and with a wrong clock; the audit trail records how many.",
			span(o.Retention), pictures),
		fmt.Sprintf("A hit that cannot be delivered is dropped after %s, or earlier when more than %s wait.", span(o.MaxAge), setting.FormatSize(o.MaxBytes)),
		fmt.Sprintf("The audit trail and the counts of each day are kept for %d years, without plates.", trailYears)},
		Blank: []string{"How long the server keeps hits, and how it is decided when they are destroyed"}}
}

func sends(c *config.Config) Section {
	s := Section{Title: "What is sent, and to whom"}
	b := &c.Uplink.Broker
	if len(b.Brokers) == 0 {
		s.Text = []string{"Nothing is sent: no server is configured."}
		return s
	}
	encrypted := "The link is encrypted (TLS)."
	for _, one := range b.List() {
		c, err := one.Credentials()
		switch {
		case one.Plaintext():
			encrypted = "The link is not encrypted."
		case err == nil && c.TLS == nil && encrypted == "The link is encrypted (TLS).":
			encrypted = "The broker is on the unit itself; how it passes hits on is not said here."
		}
	}
	s.Text = []string{"Hits with their pictures, the unit's state and its counts go to " + broker.Redact(strings.Join(b.Brokers, ", ")) + ". " + encrypted + " Reads of vehicles that are on no list are not sent."}
	if c.Uplink.Client.Ack == uplink.AckServer {
		s.Text = append(s.Text, "The unit keeps a hit until the server itself has stored it.")
	}
	if c.Uplink.Client.ONVIF.Enabled {
		s.Text = append(s.Text, "Hits also go to the same broker as ONVIF events, for a video management system.")
	}
	if c.Uplink.Client.HomeAssistant.Enabled {
		s.Text = append(s.Text, "Totals of hits and passages also go to Home Assistant at the same broker.")
	}
	s.Blank = []string{"With whom the agency shares hits, why, how, and with which restrictions; whether anything is sold"}
	return s
}

func shows(c *config.Config) Section {
	s := Section{Title: "Who may see what on the unit"}
	if c.Status.Listen == status.Off {
		s.Text = []string{"The unit has no status page."}
	} else {
		where := "reachable from the network, encrypted, with a token"
		if host, _, err := net.SplitHostPort(c.Status.Listen); err == nil && broker.Loopback(host) {
			where = "reachable on the unit itself only"
		}
		s.Text = []string{"The status page is " + where + ". It shows live pictures of the cameras, the last hits, and the health of the unit. Plates that are on no list have no text there."}
		if c.Status.Drive.For > 0 {
			s.Text = append(s.Text, fmt.Sprintf("An installer may see the last reads of all plates as text, in memory only, for %s at most; the audit trail records who did and when.", span(c.Status.Drive.For)))
		}
		s.Table = [][]string{{"Token of", "May see"}}
		if c.Status.TokenFile != "" {
			s.Table = append(s.Table, []string{"whoever has the common token", rolesText(access.All)})
		}
		for _, line := range c.Status.Tokens {
			if g, err := access.Parse(line); err == nil {
				s.Table = append(s.Table, []string{g.Name, rolesText(g.Roles)})
			}
		}
		if len(s.Table) == 1 {
			s.Table = append(s.Table, []string{"everybody who may log in to the unit", rolesText(access.All)})
		}
	}
	s.Text = append(s.Text, "A person who looks a plate up by hand, or takes a list off the unit, gives a name, a reason and a case number.")
	s.Blank = []string{"The titles of those who may use the system, and the training that they need"}
	return s
}

// rolesText is roles in words.
func rolesText(r access.Roles) string {
	var out []string
	for role, text := range map[access.Roles]string{access.View: "health", access.Aim: "live pictures and test drives", access.Hits: "hits"} {
		if r.Has(role) {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return join(out)
}

func held(lists []hotlist.ListState) Section {
	s := Section{Title: "The lists"}
	if len(lists) == 0 {
		s.Text = []string{"The unit holds no list."}
		return s
	}
	s.Text = []string{fmt.Sprintf("The unit holds %s. Lists are stored encrypted.", count(len(lists), "list"))}
	s.Table = [][]string{{"List", "From", "Entries", "Categories", "Since"}}
	for _, l := range lists {
		from := "imported on the unit"
		if l.Signed != nil {
			from = "signed by " + l.Signed.Signer
		}
		categories := make([]string, 0, len(l.Categories))
		for _, c := range slices.Sorted(maps.Keys(l.Categories)) {
			categories = append(categories, fmt.Sprintf("%s (%d)", strings.ReplaceAll(c, "_", " "), l.Categories[c]))
		}
		since := ""
		if !l.Imported.IsZero() {
			since = l.Imported.UTC().Format(time.DateOnly)
		}
		s.Table = append(s.Table, []string{l.Name, from, fmt.Sprint(l.Entries), strings.Join(categories, ", "), since})
	}
	return s
}

func accuracy(c *config.Config) Section {
	s := Section{Title: "Accuracy, and the correction of errors", Text: []string{
		"Each report says that it is not verified, how the plate matched (exactly, or with which doubt), and how sure the reading is. A report whose reading changes is corrected, and one whose plate is then on no list is withdrawn, with all that it showed.",
		"Longer lists are matched more strictly, so that chance matches stay rare."}}
	if len(c.Hotlist.Trust) > 0 {
		s.Text = append(s.Text, "Lists must be signed: an update that is not, or is older than one accepted before, is refused.")
	}
	if len(c.Uplink.Lists.Lists) > 0 {
		s.Text = append(s.Text, "Updates of these lists are taken as soon as they are published: "+join(c.Uplink.Lists.Lists)+".")
	}
	wrong := "The unit does not warn of a share of wrong ones."
	if v := c.Verdicts; v.MostWrong < 1 {
		wrong = fmt.Sprintf("It warns when more than %.0f %% of the newest 100 of a list were wrong, from %d verdicts on.", 100*v.MostWrong, v.Least)
	}
	s.Text = append(s.Text, "The server can send back what a person found about a report: right or wrong, with a reason. The unit counts these by list and by how the plate matched; the audit trail records each, with the person's name. "+wrong)
	s.Blank = []string{"How a person can have an error corrected"}
	return s
}

func security(c *config.Config) Section {
	key := "under a key that lies on the same disk"
	if c.Hotlist.KeyFile != "" {
		key = "under a key that is kept apart from them"
	}
	return Section{Title: "Security", Text: []string{
		"Lists and hits are encrypted on the disk, " + key + ". The program runs without privileges, and decodes each camera's video in a process that sees no files and no network.",
		"Passwords and keys are in files of their own, and not in the configuration."}}
}

func monitoring() Section {
	return Section{Title: "Monitoring", Text: []string{
		"An audit trail records who changed, looked up or exported what and why, who looked at live pictures and hits, which hits there were, and what was deleted, without plates. Its records are chained: `platewatch audit verify` shows a change or a gap. `platewatch audit retention` reads all files for hits that are too old. `platewatch audit counts` gives the numbers of each day for the yearly report."},
		Blank: []string{"Who reviews this, and how often"}}
}

func responsible() Section {
	return Section{Title: "Responsible", Blank: []string{"The agency", "The title of the official who is responsible for the system", "How to reach them", "In force since"}}
}

// laws are what some laws demand of the written policy of an operator of plate readers.
// The list helps to fill the blanks, and is not legal advice. California's text was
// read as a whole; of the others what their names say.
var laws = []Law{
	{"California, Civil Code 1798.90.51(b) and 1798.90.52", [][2]string{
		{"(A) authorised purposes", "Purpose"},
		{"(B) titles of those who may use it, and their training", "Who may see what on the unit"},
		{"(C) monitoring of security and of compliance", "Monitoring, Security"},
		{"(D) sale, sharing and transfer: purposes, process, restrictions", "What is sent, and to whom"},
		{"(E) title of the official custodian or owner", "Responsible"},
		{"(F) measures for accuracy and the correction of errors", "Accuracy, and the correction of errors"},
		{"(G) length of retention, and how destruction is decided", "What is kept, and for how long"},
		{"a record of each access: when, by whom, of which agency, which plate, for what purpose", "Monitoring"}}},
	{"New Hampshire, RSA 261:75-b (paragraphs I to VI) and Saf-C 7204", [][2]string{
		{"the law speaks of readers that are mounted to a vehicle and attended to by an officer (RSA 259:68-a): settle first whether a fixed one is allowed", "Purpose"},
		{"purposes that identification is limited to", "Purpose"},
		{"records of plates without a match are purged within minutes", "What is watched"},
		{"no pictures of occupants", "What is kept, and for how long"},
		{"the device is registered, and training is documented", "Who may see what on the unit"},
		{"a match alone is no ground for a stop", "Purpose, Accuracy, and the correction of errors"},
		{"lists are kept current, daily", "The lists"},
		{"yearly report: matches of each device, and what became of them", "Monitoring, Accuracy, and the correction of errors"}}},
	{"Virginia, Code 2.2-5517 (by summaries of it)", [][2]string{
		{"purposes that use is limited to", "Purpose"},
		{"retention of at most 21 days: uplink.retention = \"504h\"", "What is kept, and for how long"},
		{"sharing, within the state only", "What is sent, and to whom"},
		{"name and reason of whoever asks", "Who may see what on the unit, Monitoring"},
		{"yearly report, without persons", "Monitoring"}}},
	{"New Jersey, Attorney General Directive 2022-12 (by the State Police's page on it)", [][2]string{
		{"a written policy, and legitimate purposes", "Purpose"},
		{"authorised users only, and the date of their training", "Who may see what on the unit"},
		{"yearly audit, with a random survey of accesses", "Monitoring"},
		{"known violations and complaints, and where they were reported", "Monitoring"},
		{"the agency's coordinator", "Responsible"}}},
}

func join(words []string) string {
	plain := make([]string, len(words))
	for i, w := range words {
		plain[i] = strings.ReplaceAll(w, "_", " ")
	}
	return strings.Join(plain, ", ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// span is a length of time in words.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day && d%day == 0:
		return count(int(d/day), "day")
	case d >= 2*time.Hour && d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	case d%time.Minute == 0:
		return count(int(d/time.Minute), "minute")
	}
	return setting.FormatDuration(d)
}
