package wiretest

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/warrenmq/warren/amqp"
)

// newMethod returns an empty method by the specification's name, or nil.
func newMethod(name string) amqp.Method {
	for _, m := range []amqp.Method{
		&amqp.ConnectionStart{}, &amqp.ConnectionStartOk{}, &amqp.ConnectionSecure{},
		&amqp.ConnectionSecureOk{}, &amqp.ConnectionTune{}, &amqp.ConnectionTuneOk{},
		&amqp.ConnectionOpen{}, &amqp.ConnectionOpenOk{}, &amqp.ConnectionClose{},
		&amqp.ConnectionCloseOk{}, &amqp.ConnectionBlocked{}, &amqp.ConnectionUnblocked{},
		&amqp.ConnectionUpdateSecret{}, &amqp.ConnectionUpdateSecretOk{},
		&amqp.ChannelOpen{}, &amqp.ChannelOpenOk{}, &amqp.ChannelFlow{}, &amqp.ChannelFlowOk{},
		&amqp.ChannelClose{}, &amqp.ChannelCloseOk{},
		&amqp.AccessRequest{}, &amqp.AccessRequestOk{},
		&amqp.ExchangeDeclare{}, &amqp.ExchangeDeclareOk{}, &amqp.ExchangeDelete{},
		&amqp.ExchangeDeleteOk{}, &amqp.ExchangeBind{}, &amqp.ExchangeBindOk{},
		&amqp.ExchangeUnbind{}, &amqp.ExchangeUnbindOk{},
		&amqp.QueueDeclare{}, &amqp.QueueDeclareOk{}, &amqp.QueueBind{}, &amqp.QueueBindOk{},
		&amqp.QueueUnbind{}, &amqp.QueueUnbindOk{}, &amqp.QueuePurge{}, &amqp.QueuePurgeOk{},
		&amqp.QueueDelete{}, &amqp.QueueDeleteOk{},
		&amqp.BasicQos{}, &amqp.BasicQosOk{}, &amqp.BasicConsume{}, &amqp.BasicConsumeOk{},
		&amqp.BasicCancel{}, &amqp.BasicCancelOk{}, &amqp.BasicPublish{}, &amqp.BasicReturn{},
		&amqp.BasicDeliver{}, &amqp.BasicGet{}, &amqp.BasicGetOk{}, &amqp.BasicGetEmpty{},
		&amqp.BasicAck{}, &amqp.BasicReject{}, &amqp.BasicRecoverAsync{}, &amqp.BasicRecover{},
		&amqp.BasicRecoverOk{}, &amqp.BasicNack{},
		&amqp.ConfirmSelect{}, &amqp.ConfirmSelectOk{},
		&amqp.TxSelect{}, &amqp.TxSelectOk{}, &amqp.TxCommit{}, &amqp.TxCommitOk{},
		&amqp.TxRollback{}, &amqp.TxRollbackOk{},
	} {
		if m.ID().String() == name {
			return m
		}
	}
	return nil
}

// fieldName writes a Go name as the specification does: NoWait as no-wait.
func fieldName(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 && !unicode.IsUpper(rune(name[i-1])) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// fill sets the fields of a struct, a method or properties, from arguments.
func fill(to any, args arguments) error {
	v := reflect.ValueOf(to).Elem()
	for i := range v.NumField() {
		name := fieldName(v.Type().Field(i).Name)
		text, ok := args.take(name)
		if !ok {
			continue
		}
		field := v.Field(i)
		var err error
		switch field.Kind() {
		case reflect.Bool:
			field.SetBool(text == "true")
		case reflect.String:
			text, err = unquote(text)
			field.SetString(text)
		case reflect.Slice:
			var t amqp.Table
			t, err = parseTable(text)
			field.SetBytes(t)
		default:
			var n uint64
			n, err = strconv.ParseUint(text, 10, int(field.Type().Size())*8)
			field.SetUint(n)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// format writes the fields of a struct as arguments, and leaves out bits that are 0 and, of
// properties, whatever is zero.
func format(from any, properties bool) string {
	var b strings.Builder
	v := reflect.ValueOf(from).Elem()
	for i := range v.NumField() {
		field := v.Field(i)
		name := fieldName(v.Type().Field(i).Name)
		switch {
		case field.IsZero() && (properties || field.Kind() == reflect.Bool):
			continue
		case field.Kind() == reflect.Bool:
			b.WriteString(" " + name)
			continue
		}
		b.WriteString(" " + name + "=")
		switch field.Kind() {
		case reflect.String:
			b.WriteString(quote(field.String()))
		case reflect.Slice:
			b.WriteString(formatTable(amqp.Table(field.Bytes())))
		default:
			b.WriteString(strconv.FormatUint(field.Uint(), 10))
		}
	}
	return b.String()
}

// formatMethod writes a method as an answer.
func formatMethod(m amqp.Method) string {
	name := m.ID().String()
	switch m := m.(type) {
	case *amqp.ConnectionStart:
		return name + formatStart(m)
	case *amqp.ConnectionClose:
		return name + formatClose(m.ReplyCode, m.ReplyText, m.ClassID, m.MethodID)
	case *amqp.ChannelClose:
		return name + formatClose(m.ReplyCode, m.ReplyText, m.ClassID, m.MethodID)
	}
	return name + format(m, false)
}

// formatClose puts the reply text last, where it needs no quotes.
func formatClose(code uint16, text string, class, method uint16) string {
	failed := "-"
	if class != 0 || method != 0 {
		failed = amqp.MethodID(uint32(class)<<16 | uint32(method)).String()
	}
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		text = strconv.Quote(text)
	}
	return fmt.Sprintf(" %d %s %s", code, failed, text)
}

// formatStart names the server's properties and capabilities, and leaves out their values,
// which differ between releases.
func formatStart(m *amqp.ConnectionStart) string {
	var names, capabilities []string
	m.ServerProperties.Each(func(key []byte, v amqp.Value) bool {
		names = append(names, string(key))
		t, _ := v.Table()
		t.Each(func(key []byte, v amqp.Value) bool {
			if yes, _ := v.Bool(); yes {
				capabilities = append(capabilities, string(key))
			}
			return true
		})
		return true
	})
	sort.Strings(names)
	sort.Strings(capabilities)
	return fmt.Sprintf(
		" version=%d-%d server-properties=%s capabilities=%s mechanisms=%q locales=%q",
		m.VersionMajor, m.VersionMinor, strings.Join(names, ","), strings.Join(capabilities, ","),
		m.Mechanisms, m.Locales)
}

// formatUnknown writes a method that package amqp does not know.
func formatUnknown(payload []byte) string {
	id, err := amqp.ParseMethodID(payload)
	if err != nil {
		return "frame type=1 payload=" + hex.EncodeToString(payload)
	}
	return fmt.Sprintf("method class=%d method=%d args=%s", id.Class(), id.Method(),
		hex.EncodeToString(payload[amqp.MethodIDSize:]))
}

// formatProperties writes the properties of a content.
func formatProperties(raw amqp.RawProperties) string {
	p, err := raw.Decode()
	if err != nil || string(p.AppendTo(nil)) != string(raw) {
		return " raw-properties=" + hex.EncodeToString(raw)
	}
	return format(&p, true)
}
