package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"

	"github.com/twiliosf/twiliosf/sync/fault"
)

const hintAssign = "Give the user the permission Assign Permission Sets for this, or have an administrator assign the set " +
	"(Setup, Permission Sets, Manage Assignments)."

// PermissionSetAssigned tells whether a permission set exists, by its API name,
// and whether a user has it.
func (o *Org) PermissionSetAssigned(ctx context.Context, name, userID string) (exists, assigned bool, err error) {
	id, err := o.permissionSet(ctx, name)
	if err != nil || id == "" {
		return false, false, err
	}
	if !plainName(userID) {
		return true, false, fault.New(fault.Permanent, opName("permission set"), errors.New("the user's id is no id"))
	}
	n, err := o.Count(ctx, "SELECT COUNT() FROM PermissionSetAssignment WHERE AssigneeId = '"+userID+"' AND PermissionSetId = '"+id+"'")
	return true, n > 0, err
}

// permissionSet is a set's id, "" if there is none.
func (o *Org) permissionSet(ctx context.Context, name string) (id string, err error) {
	if !plainName(name) {
		return "", fault.New(fault.Permanent, opName("permission set"), errors.New("the permission set's name is no API name"))
	}
	err = o.Query(ctx, "SELECT Id FROM PermissionSet WHERE Name = '"+name+"'", func(row map[string]any) error {
		id, _ = row["Id"].(string) //nolint:errcheck // anything else is caught below
		if !plainName(id) {
			return unreadable("permission set", errors.New("a permission set without an id"))
		}
		return nil
	})
	return id, err
}

// AssignPermissionSet gives a user a permission set by its API name. A user who
// has it keeps it.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionsetassignment.htm
func (o *Org) AssignPermissionSet(ctx context.Context, name, userID string) error {
	const op = "assign"
	id, err := o.permissionSet(ctx, name)
	if err != nil {
		return err
	}
	if id == "" {
		return &fault.Error{
			Class: fault.Auth, Op: opName(op), Code: CodeNotFound, Err: fmt.Errorf("there is no permission set %s", name),
			Hint: "Deploy it first.",
		}
	}
	body, err := json.Marshal(struct {
		User string `json:"AssigneeId"`
		Set  string `json:"PermissionSetId"`
	}{userID, id})
	if err != nil {
		return fault.New(fault.Permanent, opName(op), errors.New("the user's id is no id"))
	}
	// Repeatable because the org keeps one assignment only.
	_, err = o.Do(ctx, Call{Op: op, Method: http.MethodPost, Path: "/sobjects/PermissionSetAssignment", Body: body, Repeatable: true})
	f := fault.Of(err)
	if f == nil || f.Code == CodeDuplicateValue {
		return nil
	}
	if f.Class == fault.Permanent || f.Class == fault.Auth && f.Code != CodeInvalidSession {
		refused := *f
		refused.Hint = hintAssign
		return &refused
	}
	return err
}

// DefinedFields lists the API names of an object's fields, those that are hidden
// from the user as well; none if there is no such object. It takes View Setup and
// Configuration: without it the fault's class is Auth.
// https://developer.salesforce.com/docs/platform/api-tooling/references/tooling-objects/tooling-fielddefinition.html
func (o *Org) DefinedFields(ctx context.Context, object string) ([]string, error) {
	const op = "definitions"
	if !plainName(object) {
		return nil, fault.New(fault.Permanent, opName(op), errors.New("the object's name is no API name"))
	}
	var names []string
	path := "/tooling/query?q=" + url.QueryEscape("SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = '"+object+"'")
	for path != "" {
		var page struct {
			Next    string `json:"nextRecordsUrl"`
			Records []struct {
				Name string `json:"QualifiedApiName"`
			} `json:"records"`
		}
		if err := o.read(ctx, op, path, &page); err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			names = append(names, r.Name)
		}
		path = page.Next
	}
	return names, nil
}
