import type { Texts } from "./en.ts";

export const de: Texts = {
  title: "WhatsApp verbinden",
  titleAgain: "WhatsApp neu verbinden",
  intro: "Ihr Assistent antwortet künftig allen, die an Ihre geschäftliche WhatsApp-Nummer schreiben.",
  account: "Konto",
  workspace: "Assistent",
  number: "Nummer",
  grantsTitle: "Was Sie erlauben",
  grantMessages: "Nachrichten an diese Nummer empfangen und beantworten",
  grantManage: "Die Nummer bei Meta registrieren und die Verbindung aufrechterhalten",
  grantStatus: "Name, Qualität und Status der Nummer sehen",
  grantCoexistence: "Bemerken, wenn Sie selbst in der WhatsApp Business App antworten, und sich zurückhalten",
  grantNothingElse: "Kein Zugriff auf private Chats, Passwörter oder Zahlungsdaten",
  needs:
    "Halten Sie Ihren Facebook-Zugang und eine Telefonnummer bereit, die SMS oder Anrufe empfängt. Es dauert etwa fünf Minuten.",
  needsCoexistence:
    "Halten Sie Ihren Facebook-Zugang und das Telefon mit der WhatsApp Business App bereit. Es dauert etwa fünf Minuten.",
  start: "Weiter mit Meta",
  onlyIfYours: "Fahren Sie nur fort, wenn Sie selbst von {account} hierhergekommen sind.",
  validUntil: "Dieser Link gilt bis {time} Uhr. Sie können die Verbindung jederzeit trennen.",
  noScript: "Diese Seite braucht JavaScript. Erlauben Sie es im Browser und laden Sie die Seite neu.",

  signupTitle: "Weiter geht es im Fenster von Meta",
  signupText: "Folgen Sie dort den Schritten. Diese Seite macht von selbst weiter, sobald Sie fertig sind.",
  signupSilent: "Ist das Fenster weg oder passiert nichts? Beginnen Sie neu oder nutzen Sie einen neuen Tab.",
  startAgain: "Neu beginnen",
  newTab: "In neuem Tab öffnen",
  elsewhereTitle: "Weiter geht es im neuen Tab",
  elsewhereText: "Lassen Sie diese Seite offen: Sie zeigt das Ergebnis, sobald Sie dort fertig sind.",

  workingTitle: "Ihre Nummer wird verbunden",
  workingText: "Das dauert einige Sekunden. Bitte lassen Sie diese Seite offen.",
  stepSignup: "Bei Meta angemeldet",
  stepSetup: "Zugriff wird geprüft, Nummer wird eingerichtet",
  stepReady: "Bereit zu antworten",

  chooseTitle: "Für welche Nummer soll der Assistent antworten?",
  chooseText: "Ihr WhatsApp-Konto hat mehrere Nummern.",
  chooseAction: "Diese Nummer verwenden",
  pinTitle: "Geben Sie die PIN der Nummer ein",
  pinText:
    "Diese Nummer ist durch die Verifizierung in zwei Schritten geschützt. Geben Sie die sechsstellige PIN ein; sie lässt sich im WhatsApp Manager ändern.",
  pinLabel: "Sechsstellige PIN",
  pinWrong: "Diese PIN war nicht richtig. Nach einigen Fehlversuchen sperrt Meta die Nummer eine Zeit lang.",
  pinAction: "Weiter",
  sixDigits: "Geben Sie genau sechs Ziffern ein.",
  verifyTitle: "Bestätigen Sie Ihre Nummer",
  verifyText: "Meta schickt einen sechsstelligen Code an {number}. Wie möchten Sie ihn erhalten?",
  verifySms: "SMS",
  verifyVoice: "Anruf",
  verifySent: "Der Code ist unterwegs. Geben Sie ihn hier ein:",
  verifyLabel: "Sechsstelliger Code",
  verifyAction: "Bestätigen",
  verifyWrong: "Der Code wurde nicht angenommen. Prüfen Sie ihn oder lassen Sie einen neuen senden.",

  waitingTitle: "Meta prüft Ihren Anzeigenamen",
  waitingText:
    "Von Ihrer Seite ist alles erledigt. Meta entscheidet meist innerhalb eines Tages; danach wird die Nummer von selbst aktiv. Sie können diese Seite schließen.",
  waitingOtherTitle: "Meta bittet um Geduld",
  waitingOtherText:
    "Meta braucht vor dem nächsten Schritt etwas Zeit. Diese Seite versucht es von selbst erneut; Sie können auch später wiederkommen.",
  checkAgain: "Erneut prüfen",

  connectedTitle: "WhatsApp ist verbunden",
  connectedText: "Der Assistent beantwortet jetzt die Nachrichten an {number}.",
  connectedPlain: "Der Assistent beantwortet jetzt die Nachrichten an Ihre Nummer.",
  connectedPayment:
    "Hinterlegen Sie im WhatsApp Manager ein Zahlungsmittel, damit Meta alle Antworten zustellt.",
  connectedClose: "Sie können diese Seite schließen.",

  problemTitle: "Das hat nicht geklappt",
  tryAgain: "Erneut versuchen",
  reference: "Referenz für den Support: {reference}",
  cancelled: "Sie haben das Fenster von Meta vor dem Ende geschlossen. Es wurde nichts geändert.",
  popupDead:
    "Ihr Browser oder die umgebende Website hindert das Fenster von Meta daran, mit uns zu sprechen. In einem neuen Tab klappt es.",
  sdkMissing:
    "Die Anmeldung von Meta ließ sich nicht laden, vielleicht wegen eines Werbeblockers. In einem neuen Tab klappt es.",
  noCode:
    "Meta ist fertig, hat uns das Ergebnis aber nicht mitgeteilt. Bitte machen Sie in einem neuen Tab weiter.",
  metaReported: "Meta hat bei der Anmeldung ein Problem gemeldet.",
  offline: "Wir sind nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es erneut.",
  unexpected: "Etwas Unerwartetes ist passiert. Bitte versuchen Sie es erneut.",
  newCode:
    "Die Bestätigung von Meta galt nur eine halbe Minute und ist abgelaufen. Bitte melden Sie sich noch einmal an.",
  numberMissing:
    "Ihr WhatsApp-Konto hat noch keine Nummer. Melden Sie sich noch einmal an und fügen Sie eine hinzu.",
  numberInUse:
    "Diese Nummer ist schon anderswo verbunden. Trennen Sie sie zuerst dort, oder wählen Sie eine andere.",
  alreadyConnected: "Dieser Assistent hat schon eine WhatsApp-Nummer. Trennen Sie zuerst diese.",
  wrongNumber:
    "Erwartet wurde eine andere Nummer: {number}. Melden Sie sich noch einmal an und wählen Sie diese.",
  noAccess:
    "Meta hat keinen Zugriff auf dieses Konto gegeben. Melden Sie sich noch einmal an und erlauben Sie alles, wonach gefragt wird.",
  notEligible: "Meta lässt nicht zu, dass diese Nummer oder dieses Konto hier verbunden wird.",
  blocked: "Meta lässt dieses Konto zurzeit keine Nachrichten senden. Der WhatsApp Manager nennt den Grund.",
  locked:
    "Meta hat die Registrierung dieser Nummer für bis zu drei Tage gesperrt, weil sie zu oft versucht wurde.",
  metaDown: "Meta antwortet gerade nicht richtig. Bitte versuchen Sie es in einer Minute erneut.",
  busy: "Die Verbindung wird bereits eingerichtet, vielleicht in einem anderen Tab. Einen Moment bitte.",
  noStorage:
    "Ihr Browser lässt diese Seite auf dem Weg zu Meta nichts behalten. Erlauben Sie Websitedaten und versuchen Sie es erneut.",
  foreignReturn:
    "Diese Anmeldung wurde nicht in diesem Tab begonnen. Gehen Sie dorthin zurück, wo Sie begonnen haben, und versuchen Sie es erneut.",

  usedTitle: "Dieser Link wurde schon benutzt",
  usedText:
    "Jeder Link verbindet eine Nummer. Für eine weitere holen Sie dort einen neuen, wo Sie diesen gefunden haben.",
  expiredTitle: "Dieser Link ist abgelaufen",
  expiredText:
    "Zu Ihrer Sicherheit gelten Links nur kurz. Gehen Sie zurück und öffnen Sie die Verbindung erneut.",
  revokedTitle: "Dieser Link gilt nicht mehr",
  revokedText:
    "Er wurde durch einen neueren ersetzt oder zurückgezogen. Gehen Sie zurück und öffnen Sie die Verbindung erneut.",
  unknownTitle: "Dieser Link führt ins Leere",
  unknownText: "Vielleicht ging ein Teil verloren. Gehen Sie zurück und öffnen Sie die Verbindung erneut.",
  misplacedTitle: "Öffnen Sie dies dort, wo es hingehört",
  misplacedText:
    "Zu Ihrer Sicherheit funktioniert diese Seite nur auf der Website, für die sie gemacht wurde.",
  unavailableTitle: "WhatsApp ist hier nicht verfügbar",
  unavailableText: "Wer diesen Dienst betreibt, hat WhatsApp noch nicht eingerichtet.",
};
