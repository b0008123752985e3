package salesforcetest

import (
	"strings"
)

// Person accounts: an account that is a person, and the contact that stands
// beside it, whose standard fields are the account's.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_guidelines_personaccounts.htm

// personFields are added to Account where Options.PersonAccounts is on, the
// twin's name for each after the arrow.
const personFields = `
LastName|Last Name|string 80| > LastName
FirstName|First Name|string 40| > FirstName
Salutation|Salutation|pick Mr.;Ms.;Mrs.;Dr.;Prof.| > Salutation
PersonMobilePhone|Mobile|phone| > MobilePhone
PersonHomePhone|Home Phone|phone| > HomePhone
PersonOtherPhone|Other Phone|phone| > OtherPhone
PersonAssistantPhone|Asst. Phone|phone| > AssistantPhone
PersonEmail|Email|email|idlookup > Email
PersonTitle|Title|string 80| > Title
PersonDepartment|Department|string 80| > Department
PersonBirthdate|Birthdate|date| > Birthdate
PersonLeadSource|Lead Source|pick Web;Phone Inquiry;Partner Referral;Other| > LeadSource
PersonHasOptedOutOfEmail|Email Opt Out|bool| > HasOptedOutOfEmail
PersonDoNotCall|Do Not Call|bool| > DoNotCall`

// twinned is a field of a person account and its twin's field.
type twinned struct{ account, contact *field }

// shared are the fields under the same name on both.
var shared = []string{"Phone", "Fax", "OwnerId"}

// addPersonAccounts turns person accounts on. It comes before the source, whose
// fields on Contact show up on Account by addPersonCustom.
func (s *schema) addPersonAccounts() error {
	account, contact := s.object("Account"), s.object("Contact")
	for line := range strings.SplitSeq(strings.TrimSpace(personFields), "\n") {
		line, twin, _ := strings.Cut(line, " > ")
		f, err := parseStandardField(line)
		if err == nil {
			err = account.add(f)
		}
		if err != nil {
			return err
		}
		s.twins = append(s.twins, twinned{f, contact.field(twin)})
	}
	for _, name := range shared {
		s.twins = append(s.twins, twinned{account.field(name), contact.field(name)})
	}
	for _, add := range []struct {
		to   *object
		line string
	}{
		{account, "IsPersonAccount|Is Person Account|bool|system"},
		{account, "PersonContactId|Contact ID|ref Contact PersonContact|system"},
		{contact, "IsPersonAccount|Is Person Account|bool|system"},
	} {
		f, err := parseStandardField(add.line)
		if err == nil {
			err = add.to.add(f)
		}
		if err != nil {
			return err
		}
	}
	account.rules = rules{complete: (*Server).completePerson, after: (*Server).matchTwin}
	return nil
}

// addPersonCustom shows a contact's custom fields on Account, under __pc. A real
// org lets them be written there too; here they are written on the contact.
func (s *schema) addPersonCustom() error {
	account := s.object("Account")
	for _, f := range s.object("Contact").fields {
		if !f.custom || f.typ == typeReference {
			continue
		}
		if err := account.add(onPerson(f)); err != nil {
			return err
		}
	}
	return nil
}

// onPerson is a contact's field as its person account shows it.
func onPerson(f *field) *field {
	pc := *f
	pc.name, pc.src, pc.viaRef, pc.viaField = strings.TrimSuffix(f.name, "c")+"pc", fromParent, "PersonContactId", f.name
	pc.system, pc.unique, pc.externalID, pc.idLookup, pc.initial = true, false, false, false, value{}
	return &pc
}

// completePerson makes an account with a last name a person, and keeps a
// person's fields off other accounts.
func (s *Server) completePerson(r *record, seq uint32, vals []value) []*Error {
	o := r.obj
	last, name, is := o.field("LastName"), o.field("Name"), o.field("IsPersonAccount")
	if seq == 0 && vals[last.slot].k != kNull {
		vals[is.slot] = boolValue(true)
	}
	person := vals[is.slot].n == 1
	var wrong []string
	for _, b := range r.set {
		if person && b.field == name || !person && s.personal(b.field) {
			wrong = append(wrong, b.field.name)
		}
	}
	switch {
	case wrong != nil:
		return notWritable(wrong)
	case !person:
		return nil
	case vals[last.slot].k == kNull:
		return []*Error{refuse("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", "LastName")}
	}
	vals[name.slot] = textValue(trimBlanks(vals[o.field("FirstName").slot].s + " " + vals[last.slot].s))
	return nil
}

// personal tells the fields that only persons have.
func (s *Server) personal(f *field) bool {
	for _, pair := range s.schema.twins {
		if pair.account == f {
			return f.name != pair.contact.name || strings.HasSuffix(f.name, "Name") || f.name == "Salutation"
		}
	}
	return false
}

// matchTwin writes a person's contact after its account.
func (s *Server) matchTwin(x *tx, seq uint32, fresh bool) []*Error {
	account, contact := s.schema.object("Account"), s.schema.object("Contact")
	was := s.table(account).at(seq)
	if was.get(account.field("IsPersonAccount").slot).n != 1 {
		return nil
	}
	twin := &record{obj: contact}
	for _, pair := range s.schema.twins {
		twin.set = append(twin.set, binding{pair.contact, was.get(pair.account.slot)})
	}
	ref := account.field("PersonContactId")
	if !fresh {
		_, at := was.get(ref.slot).target()
		return s.update(x, twin, at, true)
	}
	twin.set = append(twin.set, binding{contact.field("AccountId"), refValue(account, seq)},
		binding{contact.field("IsPersonAccount"), boolValue(true)})
	at, errs := s.insert(x, twin, true)
	if errs != nil {
		return errs
	}
	return s.amend(x, account, seq, binding{ref, refValue(contact, at)})
}

// isTwin tells the contacts of person accounts.
func (s *Server) isTwin(o *object, seq uint32) bool {
	return s.schema.twins != nil && o.name == "Contact" && s.table(o).at(seq).get(o.field("IsPersonAccount").slot).n == 1
}

// mayWriteTwin refuses to write on a twin what belongs to its account. That an
// org is as strict for every field is not documented; who writes the account
// is right in any case.
func (s *Server) mayWriteTwin(r *record, seq uint32) []*Error {
	if !s.isTwin(r.obj, seq) {
		return nil
	}
	var names []string
	for _, b := range r.set {
		mirrored := b.field.name == "AccountId"
		for _, pair := range s.schema.twins {
			mirrored = mirrored || pair.contact == b.field
		}
		if mirrored {
			names = append(names, b.field.name)
		}
	}
	if names == nil {
		return nil
	}
	return notWritable(names)
}
