import { LANGUAGES, type Language } from "../../assistant/language.ts";

/** What is said on the phone without a model. */
export interface SpokenPhrases {
  /** While a tool or a model takes its time. */
  oneMoment: string;
  stillThere: string;
  /** After an interruption that nothing followed. */
  goOn: string;
  /** An answer came to nothing. */
  apology: string;
  /** It did so again. */
  cannotHelp: string;
  noAnswer: string;
  goodbye: string;
  /** Nobody is there any more. */
  goodbyeSilence: string;
  tooLong: string;
  /** A human goes on. */
  colleague: string;
  /** A human will, later: nobody can be dialled. */
  callBack: string;
  /** A human was dialled in vain. */
  nobodyReached: string;
  stopping: string;
  /** Nobody may be called at this number; says nothing of why. */
  unavailable: string;
}

export const SPOKEN: Readonly<Record<Language, SpokenPhrases>> = {
  en: {
    oneMoment: "One moment, please.",
    stillThere: "Are you still there?",
    goOn: "Sorry, I did not catch that. Please go on.",
    apology: "I am sorry, something went wrong. Could you say that again?",
    cannotHelp:
      "I am sorry, I cannot help you just now. Somebody will get back to you. Thank you for calling, goodbye.",
    noAnswer: "I am sorry, I have no answer to that.",
    goodbye: "Thank you for calling. Goodbye!",
    goodbyeSilence: "I cannot hear anybody, so I will hang up now. Please call again. Goodbye!",
    tooLong: "This call has reached its longest time. Please call again if you need anything else. Goodbye!",
    colleague: "A colleague will take over from here.",
    callBack: "I have passed this on, and somebody will get back to you. Thank you for calling, goodbye.",
    nobodyReached: "I am sorry, nobody can take your call just now. Somebody will get back to you. Goodbye.",
    stopping: "I am sorry, I have to end this call now. Please call again in a minute. Goodbye!",
    unavailable: "We are sorry, this number cannot be reached at the moment. Goodbye.",
  },
  it: {
    oneMoment: "Un momento, per favore.",
    stillThere: "È ancora in linea?",
    goOn: "Mi scusi, non ho capito. Continui pure.",
    apology: "Mi scusi, qualcosa non ha funzionato. Può ripetere?",
    cannotHelp:
      "Mi dispiace, al momento non posso aiutarla. Qualcuno la ricontatterà. Grazie per la chiamata, arrivederci.",
    noAnswer: "Mi dispiace, non ho una risposta a questa domanda.",
    goodbye: "Grazie per la chiamata. Arrivederci!",
    goodbyeSilence: "Non sento nessuno, quindi chiudo la chiamata. Richiami pure. Arrivederci!",
    tooLong: "Questa chiamata ha raggiunto la durata massima. Richiami pure se le serve altro. Arrivederci!",
    colleague: "Da qui prosegue un collega.",
    callBack: "Ho inoltrato la richiesta e qualcuno la ricontatterà. Grazie per la chiamata, arrivederci.",
    nobodyReached: "Mi dispiace, al momento nessuno può rispondere. Qualcuno la ricontatterà. Arrivederci.",
    stopping: "Mi scusi, devo chiudere la chiamata. Richiami tra un minuto. Arrivederci!",
    unavailable: "Siamo spiacenti, questo numero al momento non è raggiungibile. Arrivederci.",
  },
  de: {
    oneMoment: "Einen Moment, bitte.",
    stillThere: "Sind Sie noch da?",
    goOn: "Entschuldigung, das habe ich nicht verstanden. Bitte sprechen Sie weiter.",
    apology: "Entschuldigung, da ist etwas schiefgegangen. Können Sie das bitte wiederholen?",
    cannotHelp:
      "Es tut mir leid, ich kann Ihnen gerade nicht helfen. Jemand wird sich bei Ihnen melden. Danke für Ihren Anruf, auf Wiederhören.",
    noAnswer: "Darauf habe ich leider keine Antwort.",
    goodbye: "Danke für Ihren Anruf. Auf Wiederhören!",
    goodbyeSilence: "Ich höre niemanden und lege jetzt auf. Rufen Sie gern wieder an. Auf Wiederhören!",
    tooLong: "Dieser Anruf hat seine Höchstdauer erreicht. Rufen Sie gern wieder an. Auf Wiederhören!",
    colleague: "Von hier an übernimmt ein Mensch.",
    callBack:
      "Ich habe das weitergegeben, und jemand wird sich bei Ihnen melden. Danke für Ihren Anruf, auf Wiederhören.",
    nobodyReached:
      "Es tut mir leid, gerade kann niemand Ihren Anruf annehmen. Jemand wird sich bei Ihnen melden. Auf Wiederhören.",
    stopping:
      "Entschuldigung, ich muss das Gespräch jetzt beenden. Rufen Sie bitte in einer Minute wieder an.",
    unavailable: "Diese Nummer ist zurzeit leider nicht erreichbar. Auf Wiederhören.",
  },
  fr: {
    oneMoment: "Un instant, s’il vous plaît.",
    stillThere: "Êtes-vous toujours là ?",
    goOn: "Pardon, je n’ai pas compris. Continuez, je vous en prie.",
    apology: "Pardon, quelque chose n’a pas fonctionné. Pouvez-vous répéter ?",
    cannotHelp:
      "Je suis désolé, je ne peux pas vous aider pour le moment. Quelqu’un vous recontactera. Merci de votre appel, au revoir.",
    noAnswer: "Je suis désolé, je n’ai pas de réponse à cette question.",
    goodbye: "Merci de votre appel. Au revoir !",
    goodbyeSilence: "Je n’entends personne, je vais donc raccrocher. N’hésitez pas à rappeler. Au revoir !",
    tooLong: "Cet appel a atteint sa durée maximale. N’hésitez pas à rappeler. Au revoir !",
    colleague: "Un collègue prend le relais.",
    callBack: "J’ai transmis votre demande et quelqu’un vous recontactera. Merci de votre appel, au revoir.",
    nobodyReached:
      "Je suis désolé, personne ne peut prendre votre appel pour le moment. Quelqu’un vous recontactera. Au revoir.",
    stopping: "Pardon, je dois mettre fin à cet appel. Rappelez dans une minute. Au revoir !",
    unavailable: "Ce numéro n’est pas joignable pour le moment. Au revoir.",
  },
  es: {
    oneMoment: "Un momento, por favor.",
    stillThere: "¿Sigue ahí?",
    goOn: "Perdone, no le he entendido. Continúe, por favor.",
    apology: "Perdone, algo ha fallado. ¿Puede repetirlo?",
    cannotHelp:
      "Lo siento, ahora mismo no puedo ayudarle. Alguien se pondrá en contacto con usted. Gracias por llamar, adiós.",
    noAnswer: "Lo siento, no tengo respuesta para eso.",
    goodbye: "Gracias por llamar. ¡Adiós!",
    goodbyeSilence: "No oigo a nadie, así que voy a colgar. Vuelva a llamar cuando quiera. ¡Adiós!",
    tooLong: "Esta llamada ha alcanzado su duración máxima. Vuelva a llamar si necesita algo más. ¡Adiós!",
    colleague: "A partir de aquí le atiende una persona.",
    callBack: "He pasado el aviso y alguien se pondrá en contacto con usted. Gracias por llamar, adiós.",
    nobodyReached:
      "Lo siento, ahora mismo nadie puede atender su llamada. Alguien se pondrá en contacto con usted. Adiós.",
    stopping: "Perdone, tengo que terminar la llamada. Vuelva a llamar en un minuto. ¡Adiós!",
    unavailable: "Lo sentimos, este número no está disponible en este momento. Adiós.",
  },
  pt: {
    oneMoment: "Um momento, por favor.",
    stillThere: "Ainda está em linha?",
    goOn: "Desculpe, não percebi. Continue, por favor.",
    apology: "Desculpe, algo correu mal. Pode repetir?",
    cannotHelp:
      "Lamento, neste momento não posso ajudar. Alguém entrará em contacto consigo. Obrigado pela chamada, adeus.",
    noAnswer: "Lamento, não tenho resposta para isso.",
    goodbye: "Obrigado pela chamada. Adeus!",
    goodbyeSilence: "Não ouço ninguém, por isso vou desligar. Volte a ligar quando quiser. Adeus!",
    tooLong: "Esta chamada atingiu a duração máxima. Volte a ligar se precisar de mais alguma coisa. Adeus!",
    colleague: "A partir daqui, continua um colega.",
    callBack: "Transmiti o seu pedido e alguém entrará em contacto consigo. Obrigado pela chamada, adeus.",
    nobodyReached:
      "Lamento, neste momento ninguém pode atender a sua chamada. Alguém entrará em contacto consigo. Adeus.",
    stopping: "Desculpe, tenho de terminar a chamada. Volte a ligar dentro de um minuto. Adeus!",
    unavailable: "Lamentamos, este número não está disponível de momento. Adeus.",
  },
  nl: {
    oneMoment: "Een ogenblik, alstublieft.",
    stillThere: "Bent u er nog?",
    goOn: "Sorry, dat heb ik niet verstaan. Gaat u verder.",
    apology: "Sorry, er ging iets mis. Kunt u dat herhalen?",
    cannotHelp:
      "Het spijt me, ik kan u nu niet helpen. Iemand neemt contact met u op. Bedankt voor het bellen, tot ziens.",
    noAnswer: "Daar heb ik helaas geen antwoord op.",
    goodbye: "Bedankt voor het bellen. Tot ziens!",
    goodbyeSilence: "Ik hoor niemand en hang nu op. Bel gerust opnieuw. Tot ziens!",
    tooLong: "Dit gesprek heeft de maximale duur bereikt. Bel gerust opnieuw. Tot ziens!",
    colleague: "Vanaf hier neemt een collega het over.",
    callBack: "Ik heb het doorgegeven en iemand neemt contact met u op. Bedankt voor het bellen, tot ziens.",
    nobodyReached:
      "Het spijt me, op dit moment kan niemand uw gesprek aannemen. Iemand neemt contact met u op. Tot ziens.",
    stopping: "Sorry, ik moet dit gesprek nu beëindigen. Bel over een minuut opnieuw. Tot ziens!",
    unavailable: "Dit nummer is op dit moment helaas niet bereikbaar. Tot ziens.",
  },
};

/** `de-CH` is German; what the assistant does not speak is English. */
export function spokenLanguage(tag: string | null): Language {
  const primary = (tag ?? "").split(/[-_]/)[0]?.toLowerCase();
  return LANGUAGES.find((language) => language === primary) ?? "en";
}
