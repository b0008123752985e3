package salesforcetest

import "testing"

// Whatever is in a file of a deployment, the org either understands it or names
// what is wrong.
func FuzzAnObjectsFileIsUnderstoodOrRefused(f *testing.F) {
	const head = `<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">`
	f.Add(head + `<fields><fullName>A__c</fullName><label>A</label><length>9</length><type>Text</type></fields></CustomObject>`)
	f.Add(head + `<fields><fullName>A__c</fullName><label>A</label><type>Lookup</type><referenceTo>B__c</referenceTo></fields></CustomObject>`)
	f.Add(head + `<label>X</label><pluralLabel>X</pluralLabel><nameField><type>AutoNumber</type><displayFormat>{0}</displayFormat></nameField></CustomObject>`)
	f.Add(`<CustomObject`)
	f.Fuzz(func(t *testing.T, content string) {
		s := NewServer(Options{})
		p := &zipPackage{listed: map[string]component{}}
		p.readFile("objects/Contact.object", []byte(content))
		p.readFile("objects/X__c.object", []byte(content))
		for _, one := range p.pieces {
			p.listed[one.key()] = one.component
			p.components = append(p.components, one.component)
		}
		p.compareWithManifest()
		d := &deployment{pack: p}
		s.carryOut(d)
		if len(p.pieces) == 0 && len(d.failures) == 0 {
			t.Errorf("neither understood nor refused: %q", content)
		}
	})
}
