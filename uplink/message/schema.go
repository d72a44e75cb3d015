package message

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaFiles describe every message for those who write receivers: a JSON
// Schema (draft 2020-12) for each kind and an AsyncAPI document for the whole.
//
//go:embed schema/*.json
var schemaFiles embed.FS

// schemaFile returns one of the embedded documents: "hit.schema.json",
// "state.schema.json", "health.schema.json", "hotlists.schema.json",
// "acks.schema.json", "verdicts.schema.json" or "asyncapi.json".
func schemaFile(name string) ([]byte, error) { return schemaFiles.ReadFile("schema/" + name) }

var schemaNames = map[Kind]string{
	KindHits:     "hit.schema.json",
	KindState:    "state.schema.json",
	KindHealth:   "health.schema.json",
	KindHotlists: "hotlists.schema.json",
	KindAcks:     "acks.schema.json",
	KindVerdicts: "verdicts.schema.json",
}

var compiledSchemas = sync.OnceValues(func() (map[Kind]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	schemas := map[Kind]*jsonschema.Schema{}
	for _, name := range schemaNames {
		b, err := schemaFile(name)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := c.AddResource(name, doc); err != nil {
			return nil, err
		}
	}
	for kind, name := range schemaNames {
		s, err := c.Compile(name)
		if err != nil {
			return nil, err
		}
		schemas[kind] = s
	}
	return schemas, nil
})

// Validate checks a message against the schema of its kind. A valid message can be
// decoded into the type of its kind.
func Validate(k Kind, payload []byte) error {
	schemas, err := compiledSchemas()
	if err != nil {
		return err
	}
	s, ok := schemas[k]
	if !ok {
		return fmt.Errorf("there is no schema for %q", k)
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("the message is not JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("trailing data after the message")
	}
	err = s.Validate(v)
	var ve *jsonschema.ValidationError
	if errors.As(err, &ve) {
		return fmt.Errorf("the message does not follow its schema: %s", firstCause(ve))
	}
	return err
}

// firstCause is the deepest first cause, in one line.
func firstCause(e *jsonschema.ValidationError) string {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	text := e.Error()
	if i := strings.LastIndex(text, "at '"); i >= 0 {
		text = text[i:]
	}
	return fmt.Sprintf("%.300s", strings.ReplaceAll(text, "\n", " "))
}
