package status

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"platewatch/cmd/platewatch/internal/testdrive"
	"platewatch/deploy/tools/goldentest"
)

const schemaFile = "web/status.schema.json"

// TestSchema: the schema that the unit serves as /assets/status.schema.json is that of
// the document's types (-update writes it), and documents of every state conform to
// it.
func TestSchema(t *testing.T) {
	schema := schemaOf(reflect.TypeFor[Document]())
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Status of a platewatch unit, as /status.json has it"
	made, err := json.MarshalIndent(schema, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	made = append(made, '\n')
	goldentest.Compare(t, schemaFile, made)
	served := get(newServer(t, newFake(), Options{}).handler(), "/assets/status.schema.json")
	if diff := cmp.Diff(string(made), served.Body.String()); diff != "" || served.Code != 200 {
		t.Fatalf("%d (-types +served):\n%s", served.Code, diff)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(served.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("status.json", parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("status.json")
	if err != nil {
		t.Fatal(err)
	}
	drive := &testdrive.Drive{}
	drive.Start("anna", time.Minute, func() {})
	defer drive.Stop()
	check := func(name string, u *fakeUnit) {
		t.Helper()
		body := get(newServer(t, u, Options{TestDrive: drive}).handler(), "/status.json").Body
		doc, err := jsonschema.UnmarshalJSON(body)
		if err == nil {
			err = compiled.Validate(doc)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	check("healthy", healthy())
	check("in trouble", newFake())
	check("empty", &fakeUnit{})
	for _, group := range troubles {
		for _, w := range group {
			u := healthy()
			u.change(w.cause)
			check(w.name, u)
		}
	}
	if err := compiled.Validate(map[string]any{"unit": 7}); err == nil {
		t.Error("the schema takes anything")
	}
}

// schemaOf is the JSON Schema of a type as encoding/json writes it.
func schemaOf(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem())
	}
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Uint, reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		properties, required := map[string]any{}, []string{}
		addFields(t, properties, &required)
		return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	}
	panic("no schema for " + t.String())
}

func addFields(t reflect.Type, properties map[string]any, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case f.Anonymous && name == "":
			addFields(f.Type, properties, required)
			continue
		case name == "":
			name = f.Name
		}
		properties[name] = schemaOf(f.Type)
		if !strings.Contains(options, "omit") {
			*required = append(*required, name)
		}
	}
}
