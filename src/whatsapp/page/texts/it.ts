import type { Texts } from "./en.ts";

export const it: Texts = {
  title: "Collega WhatsApp",
  titleAgain: "Ricollega WhatsApp",
  intro: "Il tuo assistente risponderà a chi scrive al tuo numero WhatsApp aziendale.",
  account: "Account",
  workspace: "Assistente",
  number: "Numero",
  grantsTitle: "Che cosa autorizzi",
  grantMessages: "Ricevere i messaggi inviati a questo numero e rispondere",
  grantManage: "Registrare il numero presso Meta e mantenere attivo il collegamento",
  grantStatus: "Vedere nome, qualità e stato del numero",
  grantCoexistence: "Accorgersi quando rispondi tu dall’app WhatsApp Business, e farsi da parte",
  grantNothingElse: "Nessun accesso a chat private, password o dati di pagamento",
  needs:
    "Tieni pronti l’accesso a Facebook e un numero di telefono che riceva SMS o chiamate. Bastano circa cinque minuti.",
  needsCoexistence:
    "Tieni pronti l’accesso a Facebook e il telefono con l’app WhatsApp Business. Bastano circa cinque minuti.",
  start: "Continua con Meta",
  onlyIfYours: "Continua solo se sei arrivato qui da {account} di tua iniziativa.",
  validUntil: "Questo link è valido fino alle {time}. Puoi scollegare il numero in ogni momento.",
  noScript: "Questa pagina ha bisogno di JavaScript. Attivalo nel browser, poi ricarica la pagina.",

  signupTitle: "Prosegui nella finestra di Meta",
  signupText: "Segui i passaggi indicati. Questa pagina va avanti da sola appena hai finito.",
  signupSilent: "La finestra è sparita o non succede nulla? Ricomincia, oppure usa una nuova scheda.",
  startAgain: "Ricomincia",
  newTab: "Apri in una nuova scheda",
  elsewhereTitle: "Prosegui nella nuova scheda",
  elsewhereText: "Lascia aperta questa pagina: mostrerà il risultato appena avrai finito.",

  workingTitle: "Stiamo collegando il numero",
  workingText: "Ci vuole qualche secondo. Lascia aperta questa pagina.",
  stepSignup: "Accesso con Meta effettuato",
  stepSetup: "Verifica dei permessi e configurazione del numero",
  stepReady: "Pronto a rispondere",

  chooseTitle: "A quale numero deve rispondere l’assistente?",
  chooseText: "Il tuo account WhatsApp ha più numeri.",
  chooseAction: "Usa questo numero",
  pinTitle: "Inserisci il PIN del numero",
  pinText:
    "Questo numero è protetto dalla verifica in due passaggi. Inserisci il PIN di sei cifre; puoi cambiarlo in WhatsApp Manager.",
  pinLabel: "PIN di sei cifre",
  pinWrong: "Il PIN non è corretto. Dopo alcuni tentativi errati Meta blocca il numero per un po’.",
  pinAction: "Continua",
  sixDigits: "Inserisci esattamente sei cifre.",
  verifyTitle: "Conferma il tuo numero",
  verifyText: "Meta invia un codice di sei cifre a {number}. Come vuoi riceverlo?",
  verifySms: "SMS",
  verifyVoice: "Chiamata",
  verifySent: "Il codice è in arrivo. Inseriscilo qui:",
  verifyLabel: "Codice di sei cifre",
  verifyAction: "Conferma",
  verifyWrong: "Il codice non è stato accettato. Controllalo, oppure fattene inviare un altro.",

  waitingTitle: "Meta sta verificando il nome visualizzato",
  waitingText:
    "Da parte tua è tutto fatto. Di solito Meta decide entro un giorno; poi il numero si attiva da solo. Puoi chiudere questa pagina.",
  waitingOtherTitle: "Meta chiede di attendere",
  waitingOtherText:
    "Meta ha bisogno di un po’ di tempo prima del prossimo passaggio. Questa pagina riprova da sola; puoi anche tornare più tardi.",
  checkAgain: "Controlla di nuovo",

  connectedTitle: "WhatsApp è collegato",
  connectedText: "Ora l’assistente risponde ai messaggi inviati a {number}.",
  connectedPlain: "Ora l’assistente risponde ai messaggi inviati al tuo numero.",
  connectedPayment: "Aggiungi un metodo di pagamento in WhatsApp Manager, così Meta consegna ogni risposta.",
  connectedClose: "Puoi chiudere questa pagina.",

  problemTitle: "Non ha funzionato",
  tryAgain: "Riprova",
  reference: "Riferimento per l’assistenza: {reference}",
  cancelled: "Hai chiuso la finestra di Meta prima della fine. Non è cambiato nulla.",
  popupDead:
    "Il browser, o il sito che contiene questa pagina, impedisce alla finestra di Meta di comunicare con noi. In una nuova scheda funziona.",
  sdkMissing:
    "Non è stato possibile caricare la registrazione di Meta, forse per un blocco degli annunci. In una nuova scheda funziona.",
  noCode: "Meta ha finito, ma non ci ha comunicato il risultato. Prosegui in una nuova scheda.",
  metaReported: "Meta ha segnalato un problema durante la registrazione.",
  offline: "Non siamo raggiungibili. Controlla la connessione e riprova.",
  unexpected: "È successo qualcosa di imprevisto. Riprova.",
  newCode: "La conferma di Meta valeva solo mezzo minuto ed è scaduta. Ripeti la registrazione.",
  numberMissing: "Il tuo account WhatsApp non ha ancora un numero. Ripeti la registrazione e aggiungine uno.",
  numberInUse: "Questo numero è già collegato altrove. Scollegalo prima da lì, oppure scegline un altro.",
  alreadyConnected: "Questo assistente ha già un numero WhatsApp. Scollega prima quello.",
  wrongNumber: "Era atteso un altro numero: {number}. Ripeti la registrazione e scegli quello.",
  noAccess:
    "Meta non ha concesso l’accesso a questo account. Ripeti la registrazione e autorizza tutto ciò che viene chiesto.",
  notEligible: "Meta non permette di collegare qui questo numero o questo account.",
  blocked: "Al momento Meta non permette a questo account di inviare messaggi. WhatsApp Manager dice perché.",
  locked:
    "Meta ha bloccato la registrazione di questo numero fino a tre giorni, perché è stata tentata troppe volte.",
  metaDown: "Al momento Meta non risponde correttamente. Riprova tra un minuto.",
  busy: "Il collegamento è già in corso, forse in un’altra scheda. Un momento, per favore.",
  noStorage:
    "Il browser non permette a questa pagina di ricordare nulla durante il passaggio da Meta. Consenti i dati dei siti, poi riprova.",
  foreignReturn: "Questa registrazione non è partita da questa scheda. Torna al punto di partenza e riprova.",

  usedTitle: "Questo link è già stato usato",
  usedText: "Ogni link collega un solo numero. Per un altro, chiedi un nuovo link dove hai trovato questo.",
  expiredTitle: "Questo link è scaduto",
  expiredText: "Per la tua sicurezza i link durano poco. Torna indietro e apri di nuovo il collegamento.",
  revokedTitle: "Questo link non è più valido",
  revokedText:
    "È stato sostituito da uno più recente, oppure ritirato. Torna indietro e apri di nuovo il collegamento.",
  unknownTitle: "Questo link non porta da nessuna parte",
  unknownText: "Forse ne manca un pezzo. Torna indietro e apri di nuovo il collegamento.",
  misplacedTitle: "Apri questa pagina dal suo sito",
  misplacedText:
    "Per la tua sicurezza, questa pagina funziona solo all’interno del sito per cui è stata creata.",
  unavailableTitle: "WhatsApp non è disponibile qui",
  unavailableText: "Chi gestisce questo servizio non ha ancora configurato WhatsApp.",
};
