package salesforcetest

// standardObjects declares the built-in objects: an object line is
// "object Name prefix label plural", a field line "Name|Label|type|flags".
// Types: string N, area N, phone, email, url, number P.S, int, currency, bool,
// date, datetime, pick a;b;c, ref Object[,Object] [relationship], base64, auto FORMAT.
// ref * points at every object. Flags: required, system, fixed, owner-less objects have no OwnerId line; default=x;
// idlookup; name; via=Ref.Field.
// Names, types and lengths: https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
const standardObjects = `
object Organization 00D Organization Organizations
Name|Name|string 80|required name
OrganizationType|Edition|pick Developer Edition;Enterprise Edition;Unlimited Edition;Professional Edition;Team Edition|
IsSandbox|Is Sandbox|bool|
InstanceName|Instance Name|string 5|
NamespacePrefix|Namespace Prefix|string 15|
TrialExpirationDate|Trial Expiration Date|datetime|
LanguageLocaleKey|Language|string 40|
TimeZoneSidKey|Time Zone|string 40|
object User 005 User Users
Username|Username|string 80|required
LastName|Last Name|string 80|required
FirstName|First Name|string 40|
Name|Full Name|string 121|system name
Email|Email|email|required
Alias|Alias|string 8|required
IsActive|Active|bool|default=true
Phone|Phone|phone|
MobilePhone|Mobile|phone|
Title|Title|string 80|
UserType|User Type|pick Standard;PowerPartner;Guest|default=Standard
TimeZoneSidKey|Time Zone|string 40|default=GMT
LocaleSidKey|Locale|string 40|default=en_US
LanguageLocaleKey|Language|string 40|default=en_US
EmailEncodingKey|Email Encoding|string 40|default=UTF-8
object Account 001 Account Accounts
Name|Account Name|string 255|required name
Type|Account Type|pick Prospect;Customer - Direct;Customer - Channel;Other|
ParentId|Parent Account ID|ref Account Parent|
Phone|Account Phone|phone|
Fax|Account Fax|phone|
Website|Website|url|
Industry|Industry|pick Banking;Education;Healthcare;Retail;Technology;Other|
AnnualRevenue|Annual Revenue|currency|
NumberOfEmployees|Employees|int|
Description|Account Description|area 32000|
BillingStreet|Billing Street|area 255|
BillingCity|Billing City|string 40|
BillingState|Billing State/Province|string 80|
BillingPostalCode|Billing Zip/Postal Code|string 20|
BillingCountry|Billing Country|string 80|
OwnerId|Owner ID|owner|
object Contact 003 Contact Contacts
AccountId|Account ID|ref Account Account|
LastName|Last Name|string 80|required
FirstName|First Name|string 40|
Salutation|Salutation|pick Mr.;Ms.;Mrs.;Dr.;Prof.|
Name|Full Name|string 121|system name
Phone|Business Phone|phone|
MobilePhone|Mobile Phone|phone|
HomePhone|Home Phone|phone|
OtherPhone|Other Phone|phone|
AssistantPhone|Asst. Phone|phone|
Fax|Business Fax|phone|
Email|Email|email|idlookup
Title|Title|string 128|
Department|Department|string 80|
Birthdate|Birthdate|date|
LeadSource|Lead Source|pick Web;Phone Inquiry;Partner Referral;Other|
MailingStreet|Mailing Street|area 255|
MailingCity|Mailing City|string 40|
MailingState|Mailing State/Province|string 80|
MailingPostalCode|Mailing Zip/Postal Code|string 20|
MailingCountry|Mailing Country|string 80|
Description|Contact Description|area 32000|
HasOptedOutOfEmail|Email Opt Out|bool|
DoNotCall|Do Not Call|bool|
OwnerId|Owner ID|owner|
object Lead 00Q Lead Leads
LastName|Last Name|string 80|required
FirstName|First Name|string 40|
Salutation|Salutation|pick Mr.;Ms.;Mrs.;Dr.;Prof.|
Name|Full Name|string 121|system name
Company|Company|string 255|required
Title|Title|string 128|
Phone|Phone|phone|
MobilePhone|Mobile Phone|phone|
Fax|Fax|phone|
Email|Email|email|idlookup
Website|Website|url|
Status|Status|pick Open - Not Contacted;Working - Contacted;Closed - Converted;Closed - Not Converted|required default=Open - Not Contacted
LeadSource|Lead Source|pick Web;Phone Inquiry;Partner Referral;Other|
Street|Street|area 255|
City|City|string 40|
State|State/Province|string 80|
PostalCode|Zip/Postal Code|string 20|
Country|Country|string 80|
Description|Description|area 32000|
IsConverted|Converted|bool|system
ConvertedDate|Converted Date|date|system
ConvertedContactId|Converted Contact ID|ref Contact ConvertedContact|system
ConvertedAccountId|Converted Account ID|ref Account ConvertedAccount|system
HasOptedOutOfEmail|Email Opt Out|bool|
DoNotCall|Do Not Call|bool|
OwnerId|Owner ID|owner|
object Case 500 Case Cases
CaseNumber|Case Number|auto {00000000}|name idlookup
ContactId|Contact ID|ref Contact Contact|
AccountId|Account ID|ref Account Account|
ParentId|Parent Case ID|ref Case Parent|
Subject|Subject|string 255|
Status|Status|pick New;Working;Escalated;Closed|default=New
Priority|Priority|pick High;Medium;Low|default=Medium
Origin|Case Origin|pick Phone;Email;Web|
Type|Case Type|pick Question;Problem;Other|
Description|Description|area 32000|
SuppliedName|Name|string 80|
SuppliedEmail|Email Address|email|
SuppliedPhone|Phone|string 40|
SuppliedCompany|Company|string 80|
ContactPhone|Contact Phone|phone|system via=ContactId.Phone
ContactMobile|Contact Mobile|phone|system via=ContactId.MobilePhone
ContactFax|Contact Fax|phone|system via=ContactId.Fax
ContactEmail|Contact Email|email|system via=ContactId.Email
IsClosed|Closed|bool|system
ClosedDate|Closed Date|datetime|system
OwnerId|Owner ID|owner|
object Campaign 701 Campaign Campaigns
Name|Name|string 80|required name
ParentId|Parent Campaign ID|ref Campaign Parent|
Type|Type|pick Conference;Webinar;Email;Telemarketing;Other|
Status|Status|pick Planned;In Progress;Completed;Aborted|default=Planned
StartDate|Start Date|date|
EndDate|End Date|date|
IsActive|Active|bool|
Description|Description|area 32000|
OwnerId|Owner ID|owner|
object CampaignMember 00v Campaign Member Campaign Members
CampaignId|Campaign ID|ref Campaign Campaign|required cascade fixed
LeadId|Lead ID|ref Lead Lead|fixed cascade
ContactId|Contact ID|ref Contact Contact|fixed cascade
Status|Status|pick Sent;Responded|default=Sent
HasResponded|Responded|bool|system
object CampaignMemberStatus 01Y Campaign Member Status Campaign Member Statuses
CampaignId|Campaign ID|ref Campaign Campaign|required cascade fixed
Label|Member Status|string 765|required
SortOrder|Sort Order|int|
IsDefault|Is Default|bool|
HasResponded|Responded|bool|
object ListView 00B List View List Views
Name|View Name|string 40|name
DeveloperName|View Unique Name|string 80|required
NamespacePrefix|Namespace Prefix|string 15|
SobjectType|Custom Object Definition ID|string 40|required
IsSoqlCompatible|Is SOQL Compatible|bool|default=true
object Task 00T Task Tasks
Subject|Subject|string 255|
Status|Status|pick Not Started;In Progress;Completed;Deferred|required default=Not Started
Priority|Priority|pick High;Normal;Low|required default=Normal
ActivityDate|Due Date Only|date|
Description|Description|area 32000|
WhoId|Name ID|ref Contact,Lead Who|
WhatId|Related To ID|ref Account,Case,Campaign What|
IsClosed|Closed|bool|system
OwnerId|Owner ID|owner|
object PermissionSet 0PS Permission Set Permission Sets
Name|Permission Set Name|string 80|required name
Label|Permission Set Label|string 80|required
Description|Description|string 255|
IsOwnedByProfile|Is Owned By Profile|bool|system
object PermissionSetAssignment 0Pa Permission Set Assignment Permission Set Assignments
AssigneeId|Assignee ID|ref User Assignee|required
PermissionSetId|PermissionSet ID|ref PermissionSet PermissionSet|required
object ContentVersion 068 Content Version Content Versions
ContentDocumentId|ContentDocument ID|ref ContentDocument ContentDocument|fixed cascade
IsLatest|Is Latest|bool|system
VersionNumber|Version Number|string 20|system
Title|Title|string 255|name
PathOnClient|Path On Client|string 500|required fixed
VersionData|Version Data|base64|required fixed
FirstPublishLocationId|First Publish Location ID|ref *|fixed
FileType|File Type|string 20|system
FileExtension|File Extension|string 40|system
ContentSize|Size|int|system
Description|Description|area 1000|
OwnerId|Owner ID|owner|
object ContentDocument 069 Content Document Content Documents
Title|Title|string 255|required name
LatestPublishedVersionId|Latest Published Version ID|ref ContentVersion LatestPublishedVersion|system
FileType|File Type|string 20|system
FileExtension|File Extension|string 40|system
ContentSize|Size|int|system
Description|Description|area 1000|
OwnerId|Owner ID|owner|
object ContentDocumentLink 06A Content Document Link Content Document Links
ContentDocumentId|ContentDocument ID|ref ContentDocument ContentDocument|required cascade fixed
LinkedEntityId|Linked Entity ID|ref *|required cascade fixed
ShareType|Share Type|pick V;C;I|default=V
Visibility|Visibility|pick AllUsers;InternalUsers;SharedUsers|default=AllUsers
`
