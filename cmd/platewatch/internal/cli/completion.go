package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// Shells are those that [Command.Completion] knows.
var Shells = []string{"bash", "zsh", "fish"}

// Completion writes the completion script for a shell. Commands and flags are
// completed from the table; anything else is a file.
func (c Command) Completion(w io.Writer, shell string) error {
	var b strings.Builder
	switch shell {
	case "bash":
		c.bash(&b)
	case "zsh":
		c.zsh(&b)
	case "fish":
		c.fish(&b)
	default:
		return fmt.Errorf("there is no completion for %q", shell)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// walk is the part that bash and zsh share: the words before the cursor lead down
// the tree of commands. at is "" or "/hotlist/import".
func (c Command) walk(b *strings.Builder) {
	b.WriteString("        case \"$at/$word\" in\n        ")
	for i, s := range c.all()[1:] {
		if i > 0 {
			b.WriteString("|")
		}
		b.WriteString(s.path())
	}
	b.WriteString(") at=\"$at/$word\" ;;\n        esac\n")
}

// path is the name as walk sees it.
func (c Command) path() string { return "/" + strings.ReplaceAll(c.Name, " ", "/") }

// label is the name as a case of the shell has it.
func (c Command) label() string {
	if c.Name == "" {
		return `""`
	}
	return c.path()
}

func (c Command) bash(b *strings.Builder) {
	fmt.Fprintf(b, "# bash completion of %[1]s, made by `%[1]s completion bash`\n_%[1]s() {\n    local at= word commands= flags= current=${COMP_WORDS[COMP_CWORD]}\n"+
		"    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n", Program)
	c.walk(b)
	b.WriteString("    done\n    case \"$at\" in\n")
	for _, s := range c.all() {
		fmt.Fprintf(b, "    %s) commands=%s flags=%s ;;\n", s.label(), shellQuote(strings.Join(s.words(), " ")), shellQuote(strings.Join(s.flagWords(), " ")))
	}
	fmt.Fprintf(b, "    esac\n    if [[ $current == -* ]]; then\n        COMPREPLY=($(compgen -W \"$flags -h\" -- \"$current\"))\n"+
		"    elif [[ -n $commands ]]; then\n        COMPREPLY=($(compgen -W \"$commands\" -- \"$current\"))\n"+
		"    else\n        COMPREPLY=()\n    fi\n}\ncomplete -o default -F _%[1]s %[1]s\n", Program)
}

func (c Command) zsh(b *strings.Builder) {
	fmt.Fprintf(b, "#compdef %[1]s\n# zsh completion of %[1]s, made by `%[1]s completion zsh`\n_%[1]s() {\n    local at= word\n    local -a commands flags\n"+
		"    for word in \"${(@)words[2,CURRENT-1]}\"; do\n", Program)
	c.walk(b)
	b.WriteString("    done\n    case \"$at\" in\n")
	for _, s := range c.all() {
		fmt.Fprintf(b, "    %s)\n        commands=(", s.label())
		for _, sub := range s.Sub {
			fmt.Fprintf(b, "\n            %s", shellQuote(sub.last()+":"+sub.Summary))
		}
		b.WriteString(")\n        flags=(")
		for _, f := range s.Flags {
			_, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(b, "\n            %s", shellQuote("-"+f.Name+":"+firstClause(usage)))
		}
		b.WriteString(") ;;\n")
	}
	fmt.Fprintf(b, "    esac\n    if [[ ${words[CURRENT]} == -* ]]; then\n        _describe flag flags\n    elif (( $#commands )); then\n"+
		"        _describe command commands\n    else\n        _files\n    fi\n}\nif [[ $funcstack[1] == _%[1]s ]]; then\n    _%[1]s \"$@\"\nelse\n    compdef _%[1]s %[1]s\nfi\n", Program)
}

func (c Command) fish(b *strings.Builder) {
	fmt.Fprintf(b, "# fish completion of %[1]s, made by `%[1]s completion fish`\n", Program)
	// True where exactly these commands stand before the cursor.
	fmt.Fprintf(b, "function __%[1]s_at\n    set -l at\n    for word in (commandline -opc)[2..]\n        switch \"$at/$word\"\n            case", Program)
	for _, s := range c.all()[1:] {
		fmt.Fprintf(b, " %s", s.path())
	}
	fmt.Fprintf(b, "\n                set at \"$at/$word\"\n        end\n    end\n    test \"$at\" = \"$argv[1]\"\nend\n")
	for _, s := range c.all() {
		at := s.path()
		if s.Name == "" {
			at = ""
		}
		where := fmt.Sprintf("complete -c %[1]s -n \"__%[1]s_at '%[2]s'\"", Program, at)
		for _, sub := range s.Sub {
			fmt.Fprintf(b, "%s -f -a %s -d %s\n", where, sub.last(), shellQuote(sub.Summary))
		}
		for _, f := range s.Flags {
			needed := ""
			if v, ok := f.Value.(interface{ IsBoolFlag() bool }); !ok || !v.IsBoolFlag() {
				needed = " -r"
			}
			_, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(b, "%s -o %s%s -d %s\n", where, f.Name, needed, shellQuote(firstClause(usage)))
		}
	}
}

func (c Command) words() []string {
	var words []string
	for _, s := range c.Sub {
		words = append(words, s.last())
	}
	return words
}

func (c Command) flagWords() []string {
	var words []string
	for _, f := range c.Flags {
		words = append(words, "-"+f.Name)
	}
	return words
}

// firstClause shortens the words of a flag for a menu.
func firstClause(s string) string {
	if i := strings.IndexAny(s, ";:("); i > 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

// shellQuote quotes a word for all three shells: fish takes '\” as they do.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
