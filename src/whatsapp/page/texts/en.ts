/** Every sentence of the page. `{names}` are filled in; the other languages have the same ones. */
export const en = {
  title: "Connect WhatsApp",
  titleAgain: "Reconnect WhatsApp",
  intro: "Your assistant will answer the people who write to your WhatsApp business number.",
  account: "Account",
  workspace: "Assistant",
  number: "Number",
  grantsTitle: "What you allow",
  grantMessages: "Receive the messages sent to this number, and answer them",
  grantManage: "Register the number with Meta and keep its connection working",
  grantStatus: "See the number’s name, quality and status",
  grantCoexistence: "Notice when you answer in the WhatsApp Business app yourself, and step back",
  grantNothingElse: "No access to private chats, passwords or payment details",
  needs:
    "Have your Facebook login ready and a phone number that can receive a text or a call. It takes about five minutes.",
  needsCoexistence:
    "Have your Facebook login ready and the phone with the WhatsApp Business app. It takes about five minutes.",
  start: "Continue with Meta",
  onlyIfYours: "Continue only if you came here from {account} yourself.",
  validUntil: "This link is valid until {time}. You can disconnect at any time.",
  noScript: "This page needs JavaScript. Allow it in your browser, then load the page again.",

  signupTitle: "Go on in Meta’s window",
  signupText: "Follow the steps there. This page goes on by itself as soon as you are done.",
  signupSilent: "Is the window gone, or does nothing happen? Start again, or use a new tab.",
  startAgain: "Start again",
  newTab: "Open in a new tab",
  elsewhereTitle: "Go on in the new tab",
  elsewhereText: "Keep this page open: it shows the result as soon as you are done there.",

  workingTitle: "Connecting your number",
  workingText: "This takes a few seconds. Please leave this page open.",
  stepSignup: "Signed in with Meta",
  stepSetup: "Checking access and setting up the number",
  stepReady: "Ready to answer",

  chooseTitle: "Which number should the assistant answer?",
  chooseText: "Your WhatsApp account has several numbers.",
  chooseAction: "Use this number",
  pinTitle: "Enter the number’s PIN",
  pinText:
    "This number is protected by two-step verification. Enter its six-digit PIN; it can be changed in WhatsApp Manager.",
  pinLabel: "Six-digit PIN",
  pinWrong: "That PIN was not right. After a few wrong tries Meta locks the number for a while.",
  pinAction: "Continue",
  sixDigits: "Enter exactly six digits.",
  verifyTitle: "Confirm your number",
  verifyText: "Meta sends a six-digit code to {number}. How do you want to receive it?",
  verifySms: "Text message",
  verifyVoice: "Phone call",
  verifySent: "The code is on its way. Enter it here:",
  verifyLabel: "Six-digit code",
  verifyAction: "Confirm",
  verifyWrong: "That code was not accepted. Check it, or have a new one sent.",

  waitingTitle: "Meta is reviewing your display name",
  waitingText:
    "Everything is done on your side. Meta usually decides within a day; the number then goes live by itself. You can close this page.",
  waitingOtherTitle: "Meta asks to wait",
  waitingOtherText:
    "Meta needs some time before the next step. This page tries again by itself; you can also come back later.",
  checkAgain: "Check again",

  connectedTitle: "WhatsApp is connected",
  connectedText: "The assistant now answers the messages that are sent to {number}.",
  connectedPlain: "The assistant now answers the messages that are sent to your number.",
  connectedPayment: "Add a payment method in WhatsApp Manager so that Meta delivers every answer.",
  connectedClose: "You can close this page.",

  problemTitle: "That did not work",
  tryAgain: "Try again",
  reference: "Reference for support: {reference}",
  cancelled: "You closed Meta’s window before the end. Nothing was changed.",
  popupDead:
    "Your browser, or the site around this page, keeps Meta’s window from talking to us. A new tab works.",
  sdkMissing: "Meta’s sign-up could not be loaded; an ad blocker may be the reason. A new tab works.",
  noCode: "Meta finished, but did not tell us the result. Please go on in a new tab.",
  metaReported: "Meta reported a problem during the sign-up.",
  offline: "We could not be reached. Check your connection and try again.",
  unexpected: "Something unexpected happened. Please try again.",
  newCode:
    "The confirmation from Meta was valid for half a minute only and has lapsed. Please sign up once more.",
  numberMissing: "Your WhatsApp account has no phone number yet. Sign up once more and add one.",
  numberInUse:
    "This number is already connected elsewhere. Disconnect it there first, or choose another one.",
  alreadyConnected: "This assistant already has a WhatsApp number. Disconnect that one first.",
  wrongNumber: "Another number was expected: {number}. Sign up once more and choose that one.",
  noAccess: "Meta did not give access to this account. Sign up once more and allow all that is asked for.",
  notEligible: "Meta does not allow this number or account to be connected here.",
  blocked: "Meta does not let this account send messages at the moment. WhatsApp Manager says why.",
  locked: "Meta locked the registration of this number for up to three days, because it was tried too often.",
  metaDown: "Meta does not answer properly at the moment. Please try again in a minute.",
  busy: "The connection is being set up already, perhaps in another tab. One moment, please.",
  noStorage:
    "Your browser does not let this page remember anything on the way to Meta. Allow it to store site data, then try again.",
  foreignReturn:
    "This sign-up was not started in this browser tab. Go back to where you started and try again.",

  usedTitle: "This link was already used",
  usedText: "Each link connects one number. For another one, ask for a new link where you found this.",
  expiredTitle: "This link has expired",
  expiredText: "For your safety, links live for a short time only. Go back and open the connection again.",
  revokedTitle: "This link is no longer valid",
  revokedText: "It was replaced by a newer one, or withdrawn. Go back and open the connection again.",
  unknownTitle: "This link leads nowhere",
  unknownText: "Perhaps a part of it got lost. Go back and open the connection again.",
  misplacedTitle: "Open this where it belongs",
  misplacedText: "For your safety, this page works only inside the site that it was made for.",
  unavailableTitle: "WhatsApp is not available here",
  unavailableText: "Whoever runs this service has not set up WhatsApp yet.",
};

export type Texts = Readonly<Record<keyof typeof en, string>>;
