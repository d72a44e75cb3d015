package cli

// Examples are command lines for help and manual, by command. A test compares their
// flags with those of the commands.
var Examples = map[string][]Example{
	"": {
		{Line: "platewatch demo", Does: "the whole system on this machine"},
		{Line: "platewatch read picture.jpg", Does: "read the plates in a picture"},
		{Line: "platewatch help hotlist import", Does: "explain a command"},
	},
	"run": {{Line: "platewatch run -config /etc/platewatch/platewatch.toml", Does: "run the daemon in the foreground, as the service does"}},
	"read": {
		{Line: "platewatch read picture.jpg folder/ video.mp4", Does: "read pictures, the pictures of a folder, and the passages of a video"},
		{Line: "curl -s http://192.0.2.7/snapshot.jpg | platewatch read -json -", Does: "read a picture from standard input, for a program"},
		{Line: "platewatch read -stages why/ picture.jpg", Does: "write contact sheets that show why a plate was not read"},
		{Line: "platewatch read rtsp://192.0.2.7/stream", Does: "try a camera"},
	},
	"bench": {
		{Line: "platewatch bench -html report.html pictures/", Does: "measure against pictures/truth.tsv"},
		{Line: "platewatch bench -stream", Does: "measure how many frames a second this machine reads"},
	},
	"hotlist": {{Line: "platewatch hotlist import -list stolen stolen.csv", Does: "make or replace the list stolen"}},
	"hotlist import": {
		{Line: "platewatch hotlist import -list stolen -category stolen_vehicle stolen.csv", Does: "make or replace a list"},
		{Line: "platewatch hotlist import -list national -map 'Kennz.=plate,Bis=expires' -dates dmy liste.csv", Does: "name columns that are not recognised, and the order of dates"},
		{Line: "platewatch hotlist import -list national -tolerant -yes - < export.csv", Does: "in a cron job: skip invalid lines, and install also what looks odd"},
	},
	"hotlist list":   {{Line: "platewatch hotlist list -list stolen", Does: "print the entries of a list"}},
	"hotlist check":  {{Line: "platewatch hotlist check -reason 'seen at the gate' -case 4711 AB12CDE", Does: "look a plate up, which the audit trail records"}},
	"hotlist add":    {{Line: "platewatch hotlist add -list local -reason 'case 4711' -category stolen_vehicle AB12CDE", Does: "add an entry by hand"}},
	"hotlist remove": {{Line: "platewatch hotlist remove -list local -plate AB12CDE -reason 'vehicle found'", Does: "remove an entry"}},
	"hotlist stats":  {{Line: "platewatch hotlist stats -simulate -plot curves.svg", Does: "simulate false alerts by size of the list"}},
	"hotlist export": {{Line: "platewatch hotlist export -list stolen -reason audit -case 4712 -o stolen.csv", Does: "write a list as an import reads it back"}},
	"hotlist keygen": {
		{Line: "platewatch hotlist keygen headquarters", Does: "make headquarters.key, which signs, and headquarters.pub for the units"},
		{Line: "platewatch hotlist keygen -storage storage.key", Does: "make the key that encrypts lists on disk"},
	},
	"hotlist sign":    {{Line: "platewatch hotlist sign -db lists -list stolen -key headquarters.key v7", Does: "write a list as a signed version into the folder v7"}},
	"hotlist verify":  {{Line: "platewatch hotlist verify -trust headquarters.pub v7", Does: "verify a signed version"}},
	"hotlist apply":   {{Line: "platewatch hotlist apply -db /var/lib/platewatch/hotlist -trust headquarters.pub v7", Does: "install a signed version"}},
	"outbox":          {{Line: "platewatch outbox stats -db /var/lib/platewatch/outbox.db", Does: "count the hits that wait"}},
	"outbox stats":    {{Line: "platewatch outbox stats -db /var/lib/platewatch/outbox.db", Does: "count the hits that wait"}},
	"outbox list":     {{Line: "platewatch outbox list -db /var/lib/platewatch/outbox.db", Does: "list the hits that wait"}},
	"audit":           {{Line: "platewatch audit verify", Does: "verify the trail"}},
	"audit show":      {{Line: "platewatch audit show -kind import,add,remove -since 2026-01-01", Does: "who changed the lists this year"}},
	"audit counts":    {{Line: "platewatch audit counts -from 2026-01-01 -to 2026-12-31 -csv", Does: "the numbers of a year, for a spreadsheet"}},
	"audit retention": {{Line: "platewatch audit retention", Does: "show that no hit is older than it may be"}},
	"audit verify":    {{Line: "platewatch audit verify -known 4711:9f86d081884c7d65", Does: "compare with what a health message said"}},
	"doctor": {
		{Line: "platewatch doctor", Does: "check the unit of this board, from its configuration to its server"},
		{Line: "platewatch doctor -qr -token token", Does: "let a phone in to the status page"},
		{Line: "platewatch doctor -optics -lens 12 -distance 15 -height 4 -speed 80 -shutter 1/1000 -svg place.svg", Does: "what a camera will see there, with a drawing"},
	},
	"setup": {{Line: "platewatch setup", Does: "ask for everything, try it, and start the service"}},
	"watch": {
		{Line: "platewatch watch -broker mqtts://broker.example -ca ca.pem -user-file user -password-file password", Does: "print the hits of the whole fleet"},
		{Line: "platewatch watch -broker mqtt://127.0.0.1 -json -hits-only", Does: "print hits as JSON, one a line, for a program"},
		{Line: "platewatch watch -broker mqtts://broker.example -units", Does: "show the state of each unit"},
		{Line: "platewatch watch -broker mqtts://broker.example -cot udp://127.0.0.1:4242", Does: "send hits to a TAK server on this machine"},
	},
	"demo":         {{Line: "platewatch demo -forever", Does: "keep running, to look at the status page"}},
	"config":       {{Line: "platewatch config check", Does: "check /etc/platewatch/platewatch.toml"}},
	"config check": {{Line: "platewatch config check unit.toml", Does: "check a file before it is installed"}},
	"config show":  {{Line: "platewatch config show unit.toml", Does: "print every setting with its value"}},
	"config token": {{Line: "platewatch config token -role aim -name anna", Does: "a token for somebody who aims cameras, and its line for the configuration"}},
	"completion":   {{Line: "platewatch completion bash > ~/.local/share/bash-completion/completions/platewatch", Does: "install it for one user"}},
	"man":          {{Line: "platewatch man /usr/local/share/man/man1", Does: "install the pages by hand"}},
	"version":      {{Line: "platewatch version -json", Does: "for a program"}},
}
