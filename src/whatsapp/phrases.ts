import type { Language } from "../assistant/language.ts";

/** What is said on WhatsApp without a model. */
export interface WhatsAppPhrases {
  /** Above the list of what an answer rests on. */
  sources: string;
  page: string;
  /** Pictures, videos and files that nobody here can open. */
  cannotLook: string;
  /** Voice notes, where nothing writes down what is said, or it could not. */
  cannotListen: string;
  /** What WhatsApp itself does not hand on. */
  unsupported: string;
  /** After STOP: it names the word that undoes it. */
  stopped: string;
  started: string;
  /** Under the answer that a human was asked to go on from. */
  handedOff: string;
  /** When no answer could be made, however often it was tried. */
  failed: string;
}

export const WHATSAPP_PHRASES: Readonly<Record<Language, WhatsAppPhrases>> = {
  en: {
    sources: "Sources",
    page: "page",
    cannotLook: "I cannot open pictures, videos or files here. Please write me what it is about.",
    cannotListen: "I cannot listen to voice messages here. Please send me your question as text.",
    unsupported: "I could not receive this kind of message. Please send me your question as text.",
    stopped: "You will get no more messages from this assistant. Write START if you want them again.",
    started: "Welcome back. How can I help you?",
    handedOff: "A member of our team will get back to you here.",
    failed: "I am sorry, I cannot answer just now. Please try again in a few minutes.",
  },
  it: {
    sources: "Fonti",
    page: "pagina",
    cannotLook: "Qui non posso aprire immagini, video o file. Mi scriva per favore di che cosa si tratta.",
    cannotListen: "Qui non posso ascoltare i messaggi vocali. Mi scriva per favore la sua domanda.",
    unsupported: "Non ho potuto ricevere questo tipo di messaggio. Mi scriva per favore la sua domanda.",
    stopped: "Non riceverà altri messaggi da questo assistente. Scriva START se li desidera di nuovo.",
    started: "Bentornato. Come posso aiutarla?",
    handedOff: "Un membro del nostro team le risponderà qui.",
    failed: "Mi dispiace, in questo momento non posso rispondere. Riprovi tra qualche minuto.",
  },
  de: {
    sources: "Quellen",
    page: "Seite",
    cannotLook:
      "Bilder, Videos und Dateien kann ich hier nicht öffnen. Bitte schreiben Sie mir, worum es geht.",
    cannotListen:
      "Sprachnachrichten kann ich hier nicht anhören. Bitte schreiben Sie mir Ihre Frage als Text.",
    unsupported: "Diese Art von Nachricht kam bei mir nicht an. Bitte schreiben Sie mir Ihre Frage als Text.",
    stopped:
      "Sie erhalten von diesem Assistenten keine Nachrichten mehr. Schreiben Sie START, wenn Sie wieder welche möchten.",
    started: "Willkommen zurück. Wie kann ich helfen?",
    handedOff: "Jemand aus unserem Team meldet sich hier bei Ihnen.",
    failed: "Ich kann gerade leider nicht antworten. Bitte versuchen Sie es in ein paar Minuten noch einmal.",
  },
  fr: {
    sources: "Sources",
    page: "page",
    cannotLook:
      "Je ne peux pas ouvrir ici les images, les vidéos ou les fichiers. Écrivez-moi de quoi il s’agit, s’il vous plaît.",
    cannotListen:
      "Je ne peux pas écouter ici les messages vocaux. Écrivez-moi votre question, s’il vous plaît.",
    unsupported: "Je n’ai pas pu recevoir ce type de message. Écrivez-moi votre question, s’il vous plaît.",
    stopped: "Vous ne recevrez plus de messages de cet assistant. Écrivez START pour en recevoir à nouveau.",
    started: "Heureux de vous revoir. Comment puis-je vous aider ?",
    handedOff: "Un membre de notre équipe vous répondra ici.",
    failed: "Je suis désolé, je ne peux pas répondre pour le moment. Réessayez dans quelques minutes.",
  },
  es: {
    sources: "Fuentes",
    page: "página",
    cannotLook: "Aquí no puedo abrir imágenes, vídeos ni archivos. Escríbame, por favor, de qué se trata.",
    cannotListen: "Aquí no puedo escuchar mensajes de voz. Escríbame su pregunta, por favor.",
    unsupported: "No he podido recibir este tipo de mensaje. Escríbame su pregunta, por favor.",
    stopped: "No recibirá más mensajes de este asistente. Escriba START si quiere recibirlos de nuevo.",
    started: "Le damos de nuevo la bienvenida. ¿En qué puedo ayudarle?",
    handedOff: "Una persona de nuestro equipo le responderá aquí.",
    failed: "Lo siento, ahora mismo no puedo responder. Inténtelo de nuevo en unos minutos.",
  },
  pt: {
    sources: "Fontes",
    page: "página",
    cannotLook:
      "Aqui não consigo abrir imagens, vídeos ou ficheiros. Escreva-me, por favor, do que se trata.",
    cannotListen: "Aqui não consigo ouvir mensagens de voz. Escreva-me a sua pergunta, por favor.",
    unsupported: "Não consegui receber este tipo de mensagem. Escreva-me a sua pergunta, por favor.",
    stopped: "Não receberá mais mensagens deste assistente. Escreva START se as quiser de novo.",
    started: "Bem-vindo de volta. Em que posso ajudar?",
    handedOff: "Alguém da nossa equipa vai responder-lhe aqui.",
    failed: "Lamento, neste momento não consigo responder. Tente de novo dentro de alguns minutos.",
  },
  nl: {
    sources: "Bronnen",
    page: "pagina",
    cannotLook: "Afbeeldingen, video’s en bestanden kan ik hier niet openen. Schrijf me waar het over gaat.",
    cannotListen: "Spraakberichten kan ik hier niet beluisteren. Stuur me uw vraag als tekst.",
    unsupported: "Dit soort bericht kon ik niet ontvangen. Stuur me uw vraag als tekst.",
    stopped: "U krijgt geen berichten meer van deze assistent. Schrijf START als u ze weer wilt.",
    started: "Welkom terug. Waarmee kan ik u helpen?",
    handedOff: "Iemand van ons team antwoordt u hier.",
    failed: "Het spijt me, ik kan nu niet antwoorden. Probeer het over een paar minuten opnieuw.",
  },
};
