package rabbitmqadmin

import (
	"fmt"
	"strings"
)

func (p *program) printHelp() {
	fmt.Fprintf(p.out, "Usage\n=====\n  %s [options] subcommand\n\nOptions\n=======\n", p.name)
	for _, o := range optionList() {
		name := "--" + o.long
		if o.letter != "" {
			name += ", -" + o.letter
		}
		if !o.isSwitch {
			name += "=" + strings.ToUpper(o.long)
		}
		fmt.Fprintf(p.out, "%-42s %s\n", name, o.help)
	}
	fmt.Fprint(p.out, "\nMore Help\n=========\n\n"+
		"  rabbitmqadmin help subcommands  # what can be done, in the old syntax\n"+
		"  rabbitmqadmin help config       # the configuration file\n"+
		"  rabbitmqadmin GROUP             # what can be done, in the new syntax: "+
		strings.Join(groupNames(), " ")+"\n")
}

func (p *program) help(args []string) error {
	if len(args) == 0 {
		p.printHelp()
		return nil
	}
	switch {
	case len(args) == 1 && args[0] == "subcommands":
		p.printSubcommands()
	case len(args) == 1 && args[0] == "config":
		fmt.Fprintln(p.out, configHelp)
	case len(args) == 1:
		return usage("help topic must be one of:\n  subcommands\n  config")
	default:
		return usage("Exactly one argument required")
	}
	return nil
}

const configHelp = `A configuration file, ~/.rabbitmqadmin.conf unless --config names another,
has a section for each node, which --node chooses; "default" is taken without it.
Values may have the quotes of TOML.

  [production]
  hostname = mq.example.com
  port = 15671
  username = operator
  password = secret
  ssl = True
  ssl_ca_cert_file = /etc/ssl/authority.pem
  vhost = orders`

func (p *program) printSubcommands() {
	title := func(name string) {
		fmt.Fprintf(p.out, "\n%s\n%s\n\n", name, strings.Repeat("=", len(name)))
	}
	fmt.Fprint(p.out, "Usage\n=====\n  rabbitmqadmin [options] subcommand\n\n"+
		"  where subcommand is one of:\n")
	title("Display")
	for _, l := range lists() {
		fmt.Fprintf(p.out, "  list %s [<column>...]\n", l.name)
	}
	for _, l := range shows() {
		fmt.Fprintf(p.out, "  show %s [<column>...]\n", l.name)
	}
	title("Object Manipulation")
	p.printForms("declare ", declarations())
	p.printForms("delete ", deletions())
	p.printForms("close ", closings())
	p.printForms("purge ", purges())
	title("Broker Definitions")
	fmt.Fprint(p.out, "  export <file>\n  import <file>\n")
	title("Publishing and Consuming")
	p.printForms("", traffic())
	fmt.Fprint(p.out, `
  * If payload is not specified on publish, standard input is used

  * If payload_file is not specified on get, the payload will be shown on
    standard output along with the message metadata

  * If payload_file is specified on get, count must not be set

`)
}

func (p *program) printForms(verb string, forms []form) {
	for _, f := range forms {
		words := make([]string, 0, len(f.mandatory)+1)
		for _, alternatives := range f.mandatory {
			words = append(words, strings.Join(alternatives, "=... OR ")+"=...")
		}
		if len(f.optional) > 0 {
			var optional []string
			for _, o := range f.optional {
				optional = append(optional, o.name+"=...")
			}
			words = append(words, "["+strings.Join(optional, " ")+"]")
		}
		fmt.Fprintf(p.out, "  %s%s %s\n", verb, f.name, strings.Join(words, " "))
	}
}
